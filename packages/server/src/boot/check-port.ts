import { once } from 'node:events';
import { createServer } from 'node:net';
import type { ServerConfig } from '../config/config-schema.ts';

/**
 * Fails as listening would (EADDRINUSE, EACCES …), before anything has been done: the first management key is shown
 * once, and must not be shown by a start that then finds its port taken. Another process may still take the port
 * between here and there; then the start fails as it always did.
 */
export async function checkPort({ host, port }: Pick<ServerConfig, 'host' | 'port'>): Promise<void> {
  const probe = createServer();
  probe.listen({ host, port, exclusive: true });
  await once(probe, 'listening');
  probe.close();
  await once(probe, 'close');
}
