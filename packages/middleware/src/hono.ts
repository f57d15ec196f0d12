import { fieldsOfHeaders } from '@keyswarm/http-signatures';
import { type AccessOptions, accessOf } from './decide-access.ts';
import { readBytes } from './read-bytes.ts';

export type { AccessOptions, AccessVerdict, SignedOptions } from './decide-access.ts';

/** As much of Hono as is touched. */
export interface HonoContextLike {
  readonly req: { readonly raw: Request };
  set(name: 'keyswarm', verdict: unknown): void;
}

/**
 * For Hono: `app.use(keyswarmHono({ verifier }))`; the verdict is `c.get('keyswarm')`. The content of a signed request is
 * read from a copy, so that handlers read it as ever. A `Request` has its fields joined and its URL made tidy by
 * whatever adapter made it: a client whose target is not tidy (`/a/../b`) is refused, never misread.
 */
export function keyswarmHono(
  options: AccessOptions,
): (context: HonoContextLike, next: () => Promise<void>) => Promise<Response | undefined> {
  const decide = accessOf(options);
  return async (context, next) => {
    const { raw } = context.req;
    const { granted, refused } = await decide({
      method: raw.method,
      target: targetOf(raw.url),
      fields: fieldsOfHeaders(raw.headers),
      async readBody(bytesMax) {
        const { body } = raw.clone();
        return body === null ? new Uint8Array() : await readBytes(body, bytesMax);
      },
    });
    if (refused !== undefined)
      return new Response(refused.body, { status: refused.status, headers: refused.headers });
    context.set('keyswarm', granted);
    await next();
    return undefined;
  };
}

/** Path and query of an absolute URL, as they stand there. */
function targetOf(url: string): string {
  const pathAt = url.indexOf('/', url.indexOf('//') + 2);
  return pathAt === -1 ? '/' : url.slice(pathAt);
}
