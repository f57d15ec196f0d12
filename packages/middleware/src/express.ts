import type { IncomingMessage, ServerResponse } from 'node:http';
import { fieldsOfRawHeaders } from '@keyswarm/http-signatures';
import { type AccessOptions, type AccessVerdict, accessOf } from './decide-access.ts';
import { answer } from './node-http.ts';
import { readBytes } from './read-bytes.ts';

export type { AccessOptions, AccessVerdict, SignedOptions } from './decide-access.ts';

/** As much of an Express request as is touched. */
export interface ExpressRequest extends IncomingMessage {
  readonly originalUrl: string;
  body?: unknown;
  /** Set here, for whatever comes after. */
  keyswarm?: AccessVerdict;
  /** The content of a signed request as it was sent. */
  rawBody?: Buffer;
}

/**
 * For Express. Stands before any parser of bodies: the content of a signed request is read here, put on `rawBody`, and
 * parsed into `body` if it is JSON; parsers that come later find it read and leave it.
 */
export function keyswarmExpress(
  options: AccessOptions,
): (request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void) => void {
  const decide = accessOf(options);
  return (request, response, next) => {
    decide({
      method: request.method ?? '',
      target: request.originalUrl,
      fields: fieldsOfRawHeaders(request.rawHeaders),
      async readBody(bytesMax) {
        const bytes = await readBytes(request, bytesMax);
        if (bytes !== undefined) request.rawBody = bytes;
        return bytes;
      },
    })
      .then(({ granted, refused }) => {
        if (refused !== undefined) return answer(request, response, refused);
        request.keyswarm = granted;
        if (request.rawBody !== undefined) request.body = bodyOf(request, request.rawBody);
        next();
      })
      .catch(next);
  };
}

/** The bytes themselves where they are no JSON: whether that is an error is for the service to say. */
function bodyOf({ headers }: IncomingMessage, bytes: Buffer): unknown {
  if (!/^application\/(?:[a-z0-9.+-]+\+)?json\b/i.test(headers['content-type'] ?? '')) return bytes;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return bytes;
  }
}
