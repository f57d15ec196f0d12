import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccessOptions, type AccessVerdict, accessOf } from './decide-access.ts';
import { type ExpressRequest, keyswarmExpress } from './express.ts';
import { type FastifyRequestLike, keyswarmFastify } from './fastify.ts';
import { keyswarmHono } from './hono.ts';
import { keyswarmGate } from './node-http.ts';
import { readBytes } from './read-bytes.ts';
import { bearer, benchVerifier, origin, signedFields } from './testing/access-bench.ts';

/* The real frameworks, each in front of a service that tells whose key it was and what content it got. */

const told = (verdict: AccessVerdict | undefined, body: unknown) => ({
  owner: verdict?.owner.externalId,
  body,
});

const services: Record<string, (options: AccessOptions) => Promise<RequestListener>> = {
  async 'node:http'(options) {
    const admit = keyswarmGate(options);
    return async (request, response) => {
      const admitted = await admit(request, response);
      if (admitted === undefined) return;
      const bytes = admitted.body ?? (await readBytes(request, 1e6)) ?? Buffer.alloc(0);
      const body = bytes.length === 0 ? undefined : JSON.parse(bytes.toString());
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(told(admitted.verdict, body)));
    };
  },
  async Express(options) {
    const app = express();
    app.use(keyswarmExpress(options));
    app.use(express.json());
    app.use((request: ExpressRequest, response: express.Response) => {
      response.json(told(request.keyswarm, request.body));
    });
    return app;
  },
  async Fastify(options) {
    const app = Fastify();
    app.addHook('preParsing', keyswarmFastify(options));
    app.all('*', async (request) =>
      told((request as FastifyRequestLike).keyswarm, request.body ?? undefined),
    );
    await app.ready();
    return (request, response) => app.routing(request, response);
  },
  async Hono(options) {
    const app = new Hono<{ Variables: { keyswarm: AccessVerdict } }>();
    app.use(keyswarmHono(options));
    app.all('*', async (context) => {
      const text = await context.req.text();
      return context.json(told(context.get('keyswarm'), text === '' ? undefined : JSON.parse(text)));
    });
    return getRequestListener(app.fetch);
  },
};

describe.each(Object.keys(services))('%s', (name) => {
  const { verifier, clock } = benchVerifier();
  const servers: ReturnType<typeof createServer>[] = [];
  const open = async (options: Partial<AccessOptions>): Promise<string> => {
    const listener = await services[name]?.({ verifier, signed: { origin, bodyBytesMax: 100 }, ...options });
    if (listener === undefined) throw new Error('no such service');
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((done) => server.once('listening', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  let url: string;
  beforeAll(async () => {
    url = await open({ scopes: ['orders:read'] });
  });
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });
  const json = { 'content-type': 'application/json' };
  const bears = { authorization: `Bearer ${bearer}` };
  const post = (headers: Record<string, string>, body: string, target = '/a?b=%20c') =>
    fetch(url + target, { method: 'POST', headers: { ...json, ...headers }, body });

  it('lets a good bearer in, tells whose it is, and leaves the content to the service', async () => {
    expect(await (await fetch(url, { headers: bears })).json()).toEqual({ owner: 'billing' });
    expect(await (await post(bears, '{"n":1}')).json()).toEqual({ owner: 'billing', body: { n: 1 } });
  });

  it('lets a good signature in, once, and gives the service the content that was signed', async () => {
    const fields = signedFields('POST', '/a?b=%20c', '{"n":2}');
    const reply = await post(fields, '{"n":2}');
    expect([reply.status, await reply.json()]).toEqual([200, { owner: 'billing', body: { n: 2 } }]);
    const again = await post(fields, '{"n":2}');
    expect([again.status, await again.json()]).toMatchObject([
      401,
      { detail: 'The request was accepted once before.' },
    ]);
    const get = await fetch(`${url}/x`, { headers: signedFields('GET', '/x') });
    expect(await get.json()).toEqual({ owner: 'billing' });
  });

  it('refuses signed content that was changed, left out, added, or is too long', async () => {
    const changed = await post(signedFields('POST', '/a?b=%20c', '{"n":2}'), '{"n":3}');
    expect([changed.status, await changed.json()]).toMatchObject([
      401,
      { code: 'invalid_token', detail: 'content-digest is not that of the content' },
    ]);
    expect((await post(signedFields('POST', '/a?b=%20c'), '{"n":2}')).status).toBe(401);
    const long = JSON.stringify({ n: 'x'.repeat(100) });
    expect((await post(signedFields('POST', '/a?b=%20c', long), long)).status).toBe(413);
  });

  it('refuses a signature for another path, another method, another host', async () => {
    expect((await post(signedFields('POST', '/b', '{}'), '{}')).status).toBe(401);
    expect((await post(signedFields('PUT', '/a?b=%20c', '{}'), '{}')).status).toBe(401);
    const elsewhere = await open({ signed: { origin: 'https://other.example' } });
    expect((await fetch(elsewhere, { headers: signedFields('GET', '/') })).status).toBe(401);
  });

  it('answers no key, a bad one and a bare one where signatures are wanted with 401, and a narrow one with 403', async () => {
    for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: bearer }]) {
      const reply = await fetch(url, { headers });
      expect(reply.status).toBe(401);
      expect(reply.headers.get('www-authenticate')).toContain('invalid_token');
    }
    const narrow = await open({ scopes: ['orders:write'] });
    const lacking = await fetch(narrow, { headers: bears });
    expect([lacking.status, lacking.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer realm="keyswarm", error="insufficient_scope", scope="orders:write"',
    ]);
    const unsigned = await open({ signed: undefined });
    expect((await fetch(unsigned, { headers: signedFields('GET', '/') })).status).toBe(401);
  });

  it('judges a signed request by its signature, whatever key it bears besides', async () => {
    const forged = { ...signedFields('GET', '/other'), ...bears };
    expect((await fetch(url, { headers: forged })).status).toBe(401);
  });

  it('answers 503 and a time to come back when it can not be said, never yes and never no', async () => {
    clock.advance(31_000);
    const reply = await fetch(url, { headers: bears });
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1']);
  });
});

describe('a service', () => {
  it.each(['orders.example', 'https://orders.example/', 'https://a@orders.example', ''])(
    'does not start with %s as its origin',
    (bad) => {
      expect(() => accessOf({ verifier: benchVerifier().verifier, signed: { origin: bad } })).toThrow(
        'origin',
      );
    },
  );
});
