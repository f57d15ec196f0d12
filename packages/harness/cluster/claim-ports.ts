import { once } from 'node:events';
import { createServer } from 'node:net';
import { findFreePorts } from '../nats/free-ports.ts';
import { ClusterError } from './cluster-error.ts';

/**
 * So many ports of 127.0.0.1: any that are free, or those that begin with `from`. One that is taken is named, before
 * anything is started.
 */
export async function claimPorts(count: number, from: number | undefined): Promise<readonly number[]> {
  if (from === undefined) return await findFreePorts(count);
  const ports = Array.from({ length: count }, (_, at) => from + at);
  for (const port of ports) {
    const probe = createServer();
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening').catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another process listens there' : error.message;
      throw new ClusterError(
        `port ${port} can not be used: ${why}. The cluster needs ${count} ports from ${from} on; name others with --ports`,
      );
    });
    await once(probe.close(), 'close');
  }
  return ports;
}
