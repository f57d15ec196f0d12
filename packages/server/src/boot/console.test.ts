import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { afterAll, describe, expect, test } from 'vitest';
import { consolePolicy, registerConsole, sendPage, wantsPage } from '../http/console-routes.ts';
import { readConsole } from './read-console.ts';

/* The page as it leaves the server: its policy, what may be kept, and what stands there when it was not built. */

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-console-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'assets'));
writeFileSync(join(folder, 'index.html'), `<!doctype html>${'<p>page</p>'.repeat(100)}`);
writeFileSync(join(folder, 'assets/index-1a2b.js'), 'export const long = 1;'.repeat(200));
writeFileSync(join(folder, 'assets/secret.pem'), 'nothing of a type that is not known leaves');

function serve(files: ReturnType<typeof readConsole>) {
  const app = Fastify();
  const services = { admission: {}, metrics: { request: () => {} }, clock: { monotonicMs: () => 0 } };
  app.get('/', (request, reply) =>
    wantsPage(request) ? sendPage(files, request, reply) : reply.send({ name: 'keyswarm' }),
  );
  registerConsole(app, { ...services, console: files } as never);
  return (url: string, headers: Record<string, string> = {}) =>
    app.inject({ url, headers: { accept: 'text/html,*/*', ...headers } });
}

describe('the page', () => {
  const get = serve(readConsole(folder));

  test('comes with a policy under which nothing inline runs, nothing foreign loads, and nobody frames it', async () => {
    const { headers, statusCode } = await get('/');
    expect(statusCode).toBe(200);
    expect(headers['content-security-policy']).toBe(consolePolicy);
    expect(consolePolicy).toContain("default-src 'none'");
    expect(consolePolicy).toContain("frame-ancestors 'none'");
    expect(consolePolicy).not.toContain('unsafe');
    expect(consolePolicy).not.toMatch(/https?:/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['x-frame-options']).toBe('DENY');
  });

  test('is asked for anew each time, and answered with 304 while it is the same', async () => {
    const { headers } = await get('/');
    expect(headers['cache-control']).toBe('no-cache');
    const again = await get('/', { 'if-none-match': String(headers.etag) });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
  });

  test('has files with a digest in their names, which are kept for ever and sent compressed', async () => {
    const { headers } = await get('/assets/index-1a2b.js', { 'accept-encoding': 'gzip, br' });
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['content-encoding']).toBe('gzip');
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(Number(headers['content-length'])).toBeLessThan(200);
    expect((await get('/assets/index-1a2b.js')).headers['content-encoding']).toBeUndefined();
  });

  test.each(['/assets/secret.pem', '/assets/../../package.json', '/assets/%2e%2e/index.html', '/assets'])(
    'leads to no other file: %s',
    async (url) => {
      expect((await get(url)).statusCode).toBe(404);
    },
  );

  test('is for browsers: a program gets the index of the API', async () => {
    expect((await get('/', { accept: '*/*' })).json()).toEqual({ name: 'keyswarm' });
  });
});

test('where it was not built, a browser is told how to build it', async () => {
  const { statusCode, body, headers } = await serve(readConsole(join(folder, 'not-there')))('/');
  expect(statusCode).toBe(404);
  expect(headers['content-type']).toContain('text/plain');
  expect(body).toContain('npm run console');
});
