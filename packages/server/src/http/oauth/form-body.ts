import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Fault } from '@keyswarm/core';
import { formFieldsMax } from '../../limits.ts';
import { systemTimers } from '../../runtime/timers.ts';
import { TokenRefused } from '../../tokens/derive-token.ts';
import type { FormFields } from '../../tokens/oauth-endpoints.ts';

/** The bytes of a form, if they are not too many and come in time. A refusal leaves the connection to be closed. */
export async function readForm(
  stream: IncomingMessage,
  { bytesMax, waitMs }: { readonly bytesMax: number; readonly waitMs: number },
): Promise<Buffer> {
  if (Number(stream.headers['content-length'] ?? 0) > bytesMax) throw tooLarge();
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const cancel = systemTimers.after(waitMs, () => leave(tooSlow(waitMs)));
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) leave(tooLarge());
      else chunks.push(chunk);
    };
    const end = () => leave(undefined);
    stream.on('data', take).on('end', end).on('error', leave);

    function leave(failure: Error | undefined): void {
      cancel();
      stream.off('data', take).off('end', end).off('error', leave);
      if (failure === undefined) resolve(Buffer.concat(chunks));
      else reject(failure);
    }
  });
}

function tooSlow(waitMs: number): TokenRefused {
  return new TokenRefused('invalid_request', `The form did not come within ${waitMs / 1000} s.`);
}

function tooLarge(): Fault {
  return new Fault('payload_too_large', { detail: 'The body is larger than this call takes.' });
}

/**
 * `application/x-www-form-urlencoded`, as OAuth sends it. A parameter that stands twice is refused (RFC 6749 section 3.2): of
 * two values, a proxy may look at the one and we at the other.
 */
export function parseForm(bytes: Uint8Array): FormFields {
  if (!isUtf8(bytes)) throw new TokenRefused('invalid_request', 'The body is not valid UTF-8.');
  const fields = new Map<string, string>();
  const text = Buffer.from(bytes).toString('utf8');
  let count = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    count += 1;
    if (count > formFieldsMax) throw new TokenRefused('invalid_request', 'There are too many parameters.');
    if (fields.has(name)) throw new TokenRefused('invalid_request', 'A parameter stands there twice.');
    // An empty value counts as none (RFC 6749 section 3.1).
    if (value !== '') fields.set(name, value);
  }
  return fields;
}

const basicLengthMax = 8_192;

/** `Basic` of RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. */
export function basicAuthOf(
  header: string | undefined,
): { readonly id: string; readonly secret: string } | undefined {
  if (header === undefined || header.length > basicLengthMax || !/^basic /i.test(header)) return undefined;
  const text = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  try {
    return { id: decoded(text.slice(0, colon)), secret: decoded(text.slice(colon + 1)) };
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
