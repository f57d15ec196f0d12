import { Fault, isScope, keyspaceNameLengthMax } from '@keyswarm/core';
import { hasKeyString, secretInUrl } from '../http/secret-in-url.ts';
import { forwardAuthQueryBytesMax, forwardAuthScopesMax } from '../limits.ts';

export const forwardAuthPath = '/v1/forward-auth';

export interface ForwardAuthQuestion {
  /** By name or id, as the proxy's configuration has it. */
  readonly keyspace: string;
  /** What the key has to cover. */
  readonly scopes: readonly string[];
  /** Scheme and host that clients sign; undefined: signed requests are not accepted. */
  readonly origin?: string | undefined;
}

/**
 * `?keyspace=orders-live&scope=orders:read&scope=…&original=…`, read from the left. What follows `original=` is the
 * address that the client asked for, as some proxies append it: it is not read, so that nobody can put a keyspace of
 * their own behind the operator's. Throws the Fault of what the proxy's configuration gets wrong.
 */
export function readQuestion(url: string): ForwardAuthQuestion {
  if (url.length > forwardAuthQueryBytesMax) throw bad('url', `at most ${forwardAuthQueryBytesMax} bytes`);
  if (hasKeyString(url)) throw secretInUrl();
  let keyspace: string | undefined;
  let origin: string | undefined;
  const scopes: string[] = [];
  for (const pair of url.slice(forwardAuthPath.length + 1).split('&')) {
    const equalsAt = pair.indexOf('=');
    const name = equalsAt === -1 ? pair : pair.slice(0, equalsAt);
    if (name === 'original') break;
    const value = decoded(name, pair.slice(equalsAt + 1));
    if (name === 'keyspace' && keyspace === undefined) keyspace = value;
    else if (name === 'origin' && origin === undefined) origin = checkedOrigin(value);
    else if (name === 'scope') scopes.push(checkedScope(value));
    else if (name !== '') throw bad(known.has(name) ? name : 'query', expected);
    if (scopes.length > forwardAuthScopesMax) throw bad('scope', `at most ${forwardAuthScopesMax} of them`);
  }
  if (keyspace === undefined || keyspace === '' || keyspace.length > keyspaceNameLengthMax) {
    throw bad('keyspace', 'the name or the id of a keyspace');
  }
  return origin === undefined ? { keyspace, scopes } : { keyspace, scopes, origin };
}

const known: ReadonlySet<string> = new Set(['keyspace', 'scope', 'origin']);
const expected =
  'keyspace once, origin at most once, scope as often as needed, then original if the address is appended';

function decoded(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw bad(known.has(name) ? name : 'query', 'percent-encoded UTF-8');
  }
}

function checkedScope(value: string): string {
  if (!isScope(value)) throw bad('scope', 'a scope such as orders:read');
  return value;
}

function checkedOrigin(value: string): string {
  if (!/^https?:\/\/[^/?#@\s]+$/.test(value))
    throw bad('origin', 'a scheme and a host, such as https://orders.example');
  return value;
}

function bad(field: string, wanted: string): Fault {
  return new Fault('invalid_field', {
    detail: 'The proxy asks in a way that is not accepted.',
    field,
    expected: wanted,
  });
}
