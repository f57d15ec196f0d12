import type { ServerConfig } from '../config/config-schema.ts';

/** Addresses that mean every interface of this machine: one can listen there, and not everywhere be reached by them. */
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Where a client reaches the server: the URL that others know it by, or an address of this machine. Undefined where the
 * port is not known yet.
 */
export function urlForClients({
  host,
  port,
  publicUrl,
}: Pick<ServerConfig, 'host' | 'port' | 'publicUrl'>): string | undefined {
  if (publicUrl !== null) return publicUrl;
  if (port === 0) return undefined;
  const reached = wildcards[host] ?? host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}
