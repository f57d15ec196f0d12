import {
  type Authenticator,
  credsAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';

/** What the client library is given. */
export interface NatsAddress {
  /** `host:port`, without scheme and without who we are. */
  readonly servers: string[];
  readonly tls: boolean;
  readonly authenticator: Authenticator | undefined;
}

/**
 * Addresses as operators write them: `nats://host:port` or `tls://user:password@host:port`, several with commas
 * between them. All are reached in the same way: TLS for one is TLS for all, and user and password are those of
 * the first that has them. `credentials` is the text of a `.creds` file, and goes before them.
 *
 * @throws {TypeError} that names the place and never the text, which may hold a password.
 */
export function natsAddress(servers: string | readonly string[], credentials?: string): NatsAddress {
  const texts = (typeof servers === 'string' ? servers.split(',') : servers).map((text) => text.trim());
  const urls = texts.filter((text) => text !== '').map((text, index) => serverUrl(text, index));
  if (urls.length === 0) throw new TypeError('servers: expected at least one nats://host:port');
  const named = urls.find(({ username }) => username !== '');
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === '' ? 4222 : port}`),
    tls: urls.some(({ protocol }) => protocol === 'tls:'),
    authenticator: authenticatorOf(named, credentials),
  };
}

function serverUrl(text: string, index: number): URL {
  const full = text.includes('://') ? text : `nats://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  const isPlain =
    url !== undefined && ['', '/'].includes(url.pathname) && url.search === '' && url.hash === '';
  if (url === undefined || !isPlain || url.hostname === '' || !['nats:', 'tls:'].includes(url.protocol))
    throw new TypeError(`servers[${index}]: expected nats://host:port or tls://host:port`);
  return url;
}

function authenticatorOf(url: URL | undefined, credentials: string | undefined): Authenticator | undefined {
  if (credentials !== undefined) return credsAuthenticator(new TextEncoder().encode(credentials));
  if (url === undefined) return undefined;
  return usernamePasswordAuthenticator(decodeURIComponent(url.username), decodeURIComponent(url.password));
}
