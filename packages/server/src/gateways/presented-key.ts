import type { IncomingHttpHeaders } from 'node:http';
import { tokenLengthMax } from '@keyswarm/core';
import { bearerOf } from '../http/authenticate.ts';

/**
 * The key that came with a request to an access point: `Authorization: Bearer <key>` or `X-API-Key: <key>`. Undefined
 * when there is none, or when there are two that differ: which of them counts would be for the proxy and whatever
 * stands behind it to agree on, and they never do.
 */
export function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const bearer = bearerOf(headers.authorization);
  const given = headers['x-api-key'];
  if (given === undefined) return bearer;
  // Given twice it comes as a list here, or joined by a comma, which no key string holds.
  if (typeof given !== 'string') return undefined;
  const apiKey = given.trim();
  if (apiKey === '' || apiKey.length > tokenLengthMax) return undefined;
  return bearer === undefined || bearer === apiKey ? apiKey : undefined;
}
