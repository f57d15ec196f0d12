import type { IncomingMessage } from 'node:http';
import { findKeyString } from '@keyswarm/core';
import { requestIdLengthMax } from '../limits.ts';
import type { Random } from '../runtime/random.ts';

const sane = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${requestIdLengthMax - 1}}$`);

/**
 * Ids of requests: the caller's own X-Request-Id where it is harmless to repeat in logs and replies, else ours:
 * a few characters of this process and a count.
 */
export function requestIdMaker(random: Random): (request: IncomingMessage) => string {
  const processPart = Buffer.from(random.bytes(6)).toString('hex');
  let count = 0;
  return (request) => {
    const given = request.headers['x-request-id'];
    if (typeof given === 'string' && sane.test(given) && !findKeyString(given)) return given;
    count += 1;
    return `req-${processPart}-${count.toString(36)}`;
  };
}
