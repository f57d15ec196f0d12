import { VerifyConnection, type VerifyTarget } from '../bound/verify-connection.ts';

/**
 * How many verifications a second the server gives to so many connections that each ask for the next as soon as they have
 * an answer. The asking is paid for by the same cores, as it is during the campaign.
 */
export async function measureCapacity(
  target: VerifyTarget,
  load: { readonly keyspace: string; readonly keys: readonly string[]; readonly seconds: number },
): Promise<number> {
  const connections = Array.from({ length: connectionCount }, () => new VerifyConnection(target));
  const untilMs = performance.now() + load.seconds * 1000;
  let answered = 0;
  await Promise.all(
    connections.map(async (connection, at) => {
      for (let nth = at; performance.now() < untilMs; nth += connectionCount) {
        const { code } = await connection.ask(load.keys[nth % load.keys.length] ?? '', load.keyspace);
        if (code === 'valid') answered += 1;
      }
      connection.close();
    }),
  );
  return answered / load.seconds;
}

const connectionCount = 64;
