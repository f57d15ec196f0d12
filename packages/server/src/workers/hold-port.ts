import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Keeps a port for one supervisor from before the check until the end. Two that start in the same instant would both
 * find the port free and then share it, since both ask to share: each would answer half of the other's requests.
 *
 * What is held is a name in the abstract namespace of Unix sockets, which ends with the process whatever ends it, and
 * is seen exactly where the port is: by every process of this network namespace. It is no port, and whoever connects
 * is turned away. Fails as listening would (EADDRINUSE).
 */
export async function holdPort({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<() => void> {
  const holder = createServer((socket) => socket.destroy());
  holder.listen({ path: `\0keyswarm-workers/${host}/${port}`, exclusive: true });
  await once(holder, 'listening');
  holder.unref();
  return () => void holder.close();
}
