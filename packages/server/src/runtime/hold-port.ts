import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Timers } from './timers.ts';

/** Code and port as listening has them, which fails for the same reason a moment later. */
export class PortHeldError extends Error {
  override readonly name = 'PortHeldError';
  readonly code = 'EADDRINUSE';
  readonly port: number;
  readonly holder: string;

  constructor(port: number, holder: string) {
    super(`another process starts at port ${port}: it holds ${holder}`);
    this.port = port;
    this.holder = holder;
  }
}

/** About three times as long as a start takes on a busy machine. */
const waitMsMax = 20_000;
const waitPauseMs = 100;

/**
 * One start at a time for a port, from before it is looked whether the port is free until all sockets listen. Two that start in
 * the same instant would both find it free and then share it, since their sockets all ask to share: each would answer a
 * part of the other's requests. Who comes second waits, and then finds the port taken.
 *
 * What is held is a name in the abstract namespace of Unix sockets: it ends with the process whatever ends it, and is seen
 * exactly where the port is, by every process of this network namespace. It names the port alone, since one address
 * has many spellings and may be a part of another (0.0.0.0). It is no port, and whoever connects is turned away.
 * A port that the kernel is to choose needs no hold, and neither does one where sockets can't share.
 */
export async function holdPort(
  port: number,
  { timers, signal }: { readonly timers: Pick<Timers, 'sleep'>; readonly signal?: AbortSignal | undefined },
): Promise<() => void> {
  if (port === 0 || process.platform !== 'linux') return () => {};
  const name = `keyswarm/${port}`;
  for (let waitedMs = 0; ; waitedMs += waitPauseMs) {
    const letGo = await tryToHold(`\0${name}`);
    if (letGo !== undefined) return letGo;
    if (waitedMs >= waitMsMax) throw new PortHeldError(port, `@${name}`);
    await timers.sleep(waitPauseMs, signal);
  }
}

async function tryToHold(path: string): Promise<(() => void) | undefined> {
  const holder = createServer((socket) => socket.destroy());
  try {
    holder.listen({ path, exclusive: true });
    await once(holder, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
  holder.unref();
  return () => void holder.close();
}
