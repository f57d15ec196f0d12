import { once } from 'node:events';
import { createServer } from 'node:net';

export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * The port of a demonstration that named none: the usual one, or a free one where a server stands there already. The
 * number is chosen here, since a server that leaves it to the kernel does not know its own address, and signs no tokens.
 */
export async function choosePort({ host, port }: Place): Promise<number> {
  return (await portAt({ host, port })) ?? (await portAt({ host, port: 0 })) ?? port;
}

/** The port that could be listened on; undefined where it is taken. */
async function portAt(place: Place): Promise<number | undefined> {
  const probe = createServer();
  probe.listen({ ...place, exclusive: true });
  try {
    await once(probe, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' ? address?.port : undefined;
}
