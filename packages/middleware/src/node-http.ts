import type { IncomingMessage, ServerResponse } from 'node:http';
import { fieldsOfRawHeaders } from '@keyswarm/http-signatures';
import { type AccessOptions, type AccessVerdict, accessOf, type Refusal } from './decide-access.ts';
import { readBytes } from './read-bytes.ts';

export type { AccessOptions, AccessVerdict, SignedOptions } from './decide-access.ts';

export interface Admitted {
  readonly verdict: AccessVerdict;
  /** The content of a signed request, which has been read; undefined: it is still to be read from the request. */
  readonly body: Buffer | undefined;
}

/**
 * For plain `node:http`:
 *
 *   const admit = keyswarmGate({ verifier, keyspace: 'orders_live', signed: { origin: 'https://orders.example' } });
 *   createServer(async (request, response) => {
 *     const admitted = await admit(request, response);
 *     if (admitted === undefined) return; // refused, and answered
 *     …
 *   });
 */
export function keyswarmGate(
  options: AccessOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<Admitted | undefined> {
  const decide = accessOf(options);
  return async (request, response) => {
    let body: Buffer | undefined;
    const { granted, refused } = await decide({
      method: request.method ?? '',
      target: request.url ?? '',
      fields: fieldsOfRawHeaders(request.rawHeaders),
      async readBody(bytesMax) {
        body = await readBytes(request, bytesMax);
        return body;
      },
    });
    if (refused === undefined) return { verdict: granted, body };
    answer(request, response, refused);
    return undefined;
  };
}

/** What is left of the request is not worth reading: the connection ends with the answer. */
export function answer(request: IncomingMessage, response: ServerResponse, refused: Refusal): void {
  const rest = request.complete ? {} : { connection: 'close' };
  response.writeHead(refused.status, { ...refused.headers, ...rest });
  response.end(refused.body);
}
