import { isIP } from 'node:net';
import { Fault } from '@keyswarm/core';
import { type AddressPolicy, isAllowedAddress } from './target-address.ts';

export interface TargetPolicy extends AddressPolicy {
  /** Plain http, which anybody on the way can read and change: for a consumer on this machine. */
  readonly allowHttp: boolean;
}

/**
 * Is this an address that may be called at all? What its name stands for is looked at again before each connection,
 * because whoever owns the name can change that; here is refused what can be told from the text.
 */
export function checkTargetUrl(text: string, policy: TargetPolicy, field = '/url'): URL {
  const refuse = (detail: string, expected: string): Fault =>
    new Fault('invalid_field', { detail, field, expected });
  if (!URL.canParse(text)) throw refuse('This is no URL.', 'an absolute https URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(policy.allowHttp && url.protocol === 'http:')) {
    throw refuse('Events are sent over https only.', 'an https URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse('A URL with a user or a password is not accepted.', 'a URL without credentials');
  }
  if (url.hash !== '') throw refuse('A URL with a fragment is not accepted.', 'a URL without a fragment');
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isAllowedAddress(host, policy)) {
    throw refuse('Events are sent to public addresses only.', 'a host with a public address');
  }
  if (host === 'localhost' || host.endsWith('.localhost')) {
    if (!isAllowedAddress('127.0.0.1', policy)) {
      throw refuse('Events are sent to public addresses only.', 'a host with a public address');
    }
  }
  return url;
}

/** Without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
