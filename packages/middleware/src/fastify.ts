import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { fieldsOfRawHeaders } from '@keyswarm/http-signatures';
import { type AccessOptions, type AccessVerdict, accessOf } from './decide-access.ts';
import { readBytes } from './read-bytes.ts';

export type { AccessOptions, AccessVerdict, SignedOptions } from './decide-access.ts';

/** As much of Fastify as is touched. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  /** Set here, for whatever comes after. */
  keyswarm?: AccessVerdict;
}
export interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  headers(values: Readonly<Record<string, string>>): FastifyReplyLike;
  send(payload: string): unknown;
}
type Payload = Readable & { receivedEncodedLength?: number };

/**
 * For Fastify, as a hook of a route, of a plugin or of everything:
 *
 *   app.addHook('preParsing', keyswarmFastify({ verifier, keyspace: 'orders_live' }));
 *
 * It stands between head and parser, because the digest of signed content has to be compared before anything of the
 * content is believed; the parser gets the bytes that were compared.
 */
export function keyswarmFastify(
  options: AccessOptions,
): (request: FastifyRequestLike, reply: FastifyReplyLike, payload: Payload) => Promise<Payload> {
  const decide = accessOf(options);
  return async (request, reply, payload) => {
    let body: Buffer | undefined;
    const { raw } = request;
    const { granted, refused } = await decide({
      method: raw.method ?? '',
      target: raw.url ?? '',
      fields: fieldsOfRawHeaders(raw.rawHeaders),
      async readBody(bytesMax) {
        body = await readBytes(payload, bytesMax);
        return body;
      },
    });
    if (refused !== undefined) {
      reply.code(refused.status).headers(refused.headers).send(refused.body);
      return payload;
    }
    request.keyswarm = granted;
    if (body === undefined) return payload;
    const again: Payload = Readable.from([body], { objectMode: false });
    again.receivedEncodedLength = body.length;
    return again;
  };
}
