import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type GuardServices, openGuardOf } from './guard.ts';

/*
 * The page, as it was built: a few files that are read once and kept. Its scripts and styles carry a digest in their
 * names and may be kept for ever; the page that names them is asked for anew each time, and answered with 304 while it
 * is the same. The policy lets it run, style and ask what comes from this server and nothing else, nothing inline, and
 * in nobody's frame: what a name or a note holds can not become a script.
 *
 * `/` has two readers. A browser says that it takes HTML and gets the page; a program gets the index of the API.
 */

export interface ConsoleFile {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Uint8Array;
  /** The same, compressed; absent where that is no shorter. */
  readonly gzip?: Uint8Array | undefined;
}

/** By path, such as `/` and `/assets/index-3f2a.js`; undefined: it has not been built. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile> | undefined;

export interface ConsoleServices extends GuardServices {
  readonly console: ConsoleFiles;
}

export const consolePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const pageHeaders = {
  'content-security-policy': consolePolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-write=(self)',
};

const howToBuild =
  'The console has not been built here. `npm run console` builds it, and `npm start` does so by itself.\n' +
  'The API is described at /openapi.json.\n';

export function registerConsole(app: FastifyInstance, services: ConsoleServices): void {
  const { console: files } = services;
  const guard = openGuardOf(services, undefined);
  for (const [path, file] of files ?? []) {
    if (path === '/') continue;
    app.get(path, { onRequest: guard }, (request, reply) =>
      sendFile(request, reply.header('cache-control', 'public, max-age=31536000, immutable'), file),
    );
  }
}

/** Is it somebody who wants to see the page? */
export function wantsPage(request: FastifyRequest): boolean {
  return /\btext\/html\b/.test(request.headers.accept ?? '');
}

export function sendPage(files: ConsoleFiles, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const page = files?.get('/');
  if (page === undefined) return reply.code(404).type('text/plain; charset=utf-8').send(howToBuild);
  return sendFile(request, reply.header('cache-control', 'no-cache'), page);
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: ConsoleFile): FastifyReply {
  const { etag, bytes, gzip, type } = file;
  reply.headers({ ...pageHeaders, etag, vary: 'Accept, Accept-Encoding' });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  reply.type(type);
  return gzip !== undefined && takesGzip
    ? reply.header('content-encoding', 'gzip').send(gzip)
    : reply.send(bytes);
}
