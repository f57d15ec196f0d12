import { ConfigError } from './config-error.ts';
import { type ServerConfig, variableOf } from './config-schema.ts';
import { isLoopback } from './is-loopback.ts';

interface Danger {
  readonly setting: string;
  readonly isPresent: (config: ServerConfig) => boolean;
  readonly shout: string;
  /** What `cluster` asks for instead. */
  readonly expected: string;
}

const dangers: readonly Danger[] = [
  {
    setting: variableOf('behindTls'),
    isPresent: (config) => !isLoopback(config.host) && !config.behindTls,
    shout:
      'listens beyond this machine without TLS: every key that is sent to it can be read on the way. ' +
      'Put a proxy that ends TLS in front and set behind_tls.',
    expected: 'TLS in front of a server that listens beyond this machine, and behind_tls set',
  },
  {
    setting: variableOf('databaseUrl'),
    isPresent: (config) => config.databaseUrl !== null && !isDatabaseLinkSafe(config.databaseUrl),
    shout: 'reaches its database over the network without TLS. Add sslmode=verify-full to the URL.',
    expected: 'sslmode=verify-full (or require) for a database beyond this machine',
  },
  {
    setting: variableOf('webhookHttp'),
    isPresent: (config) => config.webhookHttp,
    shout:
      'sends events to webhooks over plain http where one says so: they can be read and forged on the way.',
    expected: 'webhooks over https only',
  },
  {
    setting: variableOf('natsServers'),
    isPresent: (config) => config.natsServers !== null && !isBrokerLinkSafe(config.natsServers),
    shout:
      'reaches its broker over the network without TLS: the credentials of verifiers can be read on the way. ' +
      'Write tls:// in place of nats://.',
    expected: 'tls:// for a broker beyond this machine',
  },
];

/**
 * The settings that are tolerated for a try and dangerous for real: one sentence each, to be shouted once at
 * start. In the `cluster` profile nobody would read it, so there they are refused.
 */
export function checkSafety(config: ServerConfig): readonly string[] {
  const present = dangers.filter((danger) => danger.isPresent(config));
  const [first] = present;
  if (first !== undefined && config.profile === 'cluster')
    throw new ConfigError(first.setting, first.expected);
  return present.map((danger) => `INSECURE: this server ${danger.shout}`);
}

function isDatabaseLinkSafe(databaseUrl: string): boolean {
  if (!URL.canParse(databaseUrl)) return false;
  const url = new URL(databaseUrl);
  // No host: a local socket. `pg` takes the socket's directory as the `host` parameter, too.
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  if (host === '' || host.startsWith('/') || isLoopback(host.replace(/^\[|\]$/g, ''))) return true;
  return ['require', 'verify-ca', 'verify-full'].includes(url.searchParams.get('sslmode') ?? '');
}

/** TLS for one of them is TLS for all. */
export function isBrokerLinkSafe(servers: string): boolean {
  const urls = servers.split(',').map((text) => (URL.canParse(text) ? new URL(text) : undefined));
  if (urls.some((url) => url?.protocol === 'tls:')) return true;
  return urls.every((url) => url !== undefined && isLoopback(url.hostname.replace(/^\[|\]$/g, '')));
}
