import { connect, createServer, type Socket } from 'node:net';

/** What happens to the next COMMIT that passes. */
export type CommitCut =
  /** The link breaks before the engine hears of it: nothing was committed. */
  | 'before'
  /** The link breaks once the engine has answered, and the answer is lost: it was committed. */
  | 'after'
  /** It is held until `release`, so that a test can do something to the session meanwhile. */
  | 'hold';

export interface CutProxy {
  /** As given, but through here. */
  readonly url: string;
  /** Arms the proxy for one COMMIT; resolves when it was met. */
  cutNext(cut: CommitCut): Promise<void>;
  /** Lets a held COMMIT go on. */
  release(): void;
  close(): Promise<void>;
}

const commitMessage = Buffer.from('commit\0');

/** A link to PostgreSQL that breaks where a test wants it to: at a COMMIT, to either side of it. */
export async function startCutProxy(databaseUrl: string): Promise<CutProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let armed: { readonly cut: CommitCut; readonly met: () => void } | undefined;
  let release = () => {};

  const server = createServer((client) => {
    const engine = connect({ host: target.hostname, port: Number(target.port) });
    let losesAnswer = false;
    const end = () => {
      client.destroy();
      engine.destroy();
    };
    for (const socket of [client, engine]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (data) => {
      const cut = data.includes(commitMessage) ? armed : undefined;
      if (cut === undefined) {
        engine.write(data);
        return;
      }
      armed = undefined;
      if (cut.cut === 'before') end();
      if (cut.cut === 'after') {
        losesAnswer = true;
        engine.write(data);
      }
      if (cut.cut === 'hold') release = () => engine.write(data);
      cut.met();
    });
    engine.on('data', (data) => {
      if (losesAnswer) end();
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const own = new URL(databaseUrl);
  own.host = `127.0.0.1:${address.port}`;
  return {
    url: own.href,
    cutNext: (cut) =>
      new Promise((met) => {
        armed = { cut, met };
      }),
    release: () => release(),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
