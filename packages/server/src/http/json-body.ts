import { isUtf8 } from 'node:buffer';
import { Fault } from '@keyswarm/core';
import type { FastifyInstance } from 'fastify';

/*
 * How a body becomes a value. JSON only; text that isn't UTF-8 is refused instead of being read with replacement
 * characters (two different bodies would become one), and so are members that would reach an object's prototype. A
 * byte order mark is passed over (RFC 8259, section 8.1). Where a member stands twice the last one counts, as
 * ECMAScript has it: everything behind this point, the hash for the Idempotency-Key too, sees that one value.
 */
export function acceptJsonBodies(app: FastifyInstance): void {
  const parseText = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const coding = request.headers['content-encoding'];
    if (coding !== undefined && coding !== 'identity') {
      return done(
        new Fault('unsupported_media_type', {
          detail: 'Compressed bodies are not accepted.',
          field: 'Content-Encoding',
          expected: 'no Content-Encoding',
        }),
      );
    }
    if (bytes.length === 0) return done(null, undefined);
    if (!isUtf8(bytes)) return done(invalidJson('The body is not valid UTF-8.'));
    parseText(request, bytes.toString('utf8'), (error, value) => {
      if (error === null) done(null, value);
      else
        done(
          invalidJson(
            /prototype/.test(error.message) ? 'A member of the body has a reserved name.' : undefined,
          ),
        );
    });
  });
}

function invalidJson(detail = 'The body can not be read as JSON.'): Fault {
  // The parser's own message quotes the text, which may hold a secret.
  return new Fault('invalid_json', { detail, expected: 'one JSON object in UTF-8' });
}
