import { connect, type Socket } from 'node:net';

/*
 * A closed-loop HTTP/1.1 generator over raw sockets. Node's own client costs more a request than the servers
 * that are measured here, so with it every server would look alike; this one writes prepared bytes and only
 * reads the status line and Content-Length. No pipelining: a connection has one request under way.
 */

export interface LoadOptions {
  readonly port: number;
  /** Whole requests (head and body), sent in turn. */
  readonly requests: readonly Buffer[];
  readonly connections: number;
  readonly seconds: number;
  /** Seconds at the start that are not counted. */
  readonly warmupSeconds: number;
  /** Keep a core awake: for two servers that are compared by CPU, never where a database needs that core. */
  readonly spins?: boolean;
}

export interface LoadResult {
  readonly counted: number;
  readonly seconds: number;
  /** Replies by status, warm-up included: a run with anything but the expected one is no measurement. */
  readonly statuses: Readonly<Record<string, number>>;
}

export function postRequest(
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const payload = JSON.stringify(body);
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(payload)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${payload}`);
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const statuses: Record<string, number> = {};
  let counted = 0;
  let next = 0;
  const began = performance.now();
  const countFrom = began + options.warmupSeconds * 1000;
  const until = countFrom + options.seconds * 1000;
  const nextRequest = (): Buffer | undefined =>
    performance.now() >= until ? undefined : options.requests[next++ % options.requests.length];
  const onReply = (status: string): void => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    const now = performance.now();
    if (now >= countFrom && now < until) counted++;
  };
  const stopSpinning = options.spins === true ? spin() : () => {};
  try {
    await Promise.all(
      Array.from({ length: options.connections }, () => runConnection(options.port, nextRequest, onReply)),
    );
  } finally {
    stopSpinning();
  }
  return { counted, seconds: options.seconds, statuses };
}

/**
 * Keeps this process from sleeping while it waits for replies. A sleeping generator has to be woken by the server's
 * write, and on a virtual machine that costs the server more than the rest of a request; a server that is slower
 * than the generator pays it each time and a faster one never, so the two could not be compared.
 */
function spin(): () => void {
  let spinning = true;
  const turn = (): void => {
    if (spinning) setImmediate(turn);
  };
  turn();
  return () => {
    spinning = false;
  };
}

function runConnection(
  port: number,
  nextRequest: () => Buffer | undefined,
  onReply: (status: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let pending = Buffer.alloc(0);
    const send = (): void => {
      const request = nextRequest();
      if (request === undefined) socket.end();
      else socket.write(request);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const length = replyLength(pending);
      if (length === undefined || pending.length < length) return;
      onReply(pending.toString('latin1', 9, 12));
      pending = pending.subarray(length);
      send();
    });
  });
}

/** Bytes of the first whole reply in `bytes`; undefined while its head is incomplete. */
function replyLength(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined)
    throw new Error(`the generator reads only replies with a Content-Length: ${head}`);
  return headEnd + 4 + Number(length);
}
