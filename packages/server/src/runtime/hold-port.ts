import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Keeps a port for one start of the house from before the check until the end. Two that start in the same instant would both
 * find the port free and then share it, since their listening sockets all ask to share: each would answer half of the
 * other's requests.
 *
 * What is held is a name in the abstract namespace of Unix sockets, which ends with the process whatever ends it, and
 * is seen exactly where the port is: by every process of this network namespace. It is no port, and whoever connects
 * is turned away. Fails as listening would (EADDRINUSE). A port that the kernel is to choose needs no hold, and neither
 * does one where sockets can't share.
 */
export async function holdPort({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<() => Promise<void>> {
  if (port === 0 || process.platform !== 'linux') return async () => {};
  const holder = createServer((socket) => socket.destroy());
  holder.listen({ path: `\0keyswarm/${host}/${port}`, exclusive: true });
  await once(holder, 'listening');
  holder.unref();
  return async () => void holder.close();
}
