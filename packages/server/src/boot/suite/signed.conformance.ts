import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, problemOf, terms, verdictOf, verify } from './fixtures.ts';
import { digestOf, macSigner, newPair, signatureOf, type TestSigner } from './sign-request.ts';
import { publicUrl, type Reply, type TestServer } from './test-server.ts';

const access = { method: 'POST', url: 'https://orders.example/v1/orders?x=1' };

/** Requests that are signed: asked about by access points, and as management calls. */
export function describeSigned(serverOf: () => TestServer): void {
  const ask = (signer: TestSigner, more: object = {}, body?: string) => {
    const request = { ...access, ...(body === undefined ? {} : { body }) };
    return askAgain({ ...described(request, signatureOf(signer, request)), ...more });
  };
  const askAgain = (request: object) => serverOf().post('/v1/keys/verify', { request });
  const described = (
    request: { method: string; url: string; body?: string },
    fields: Record<string, string>,
  ) => ({
    method: request.method,
    url: request.url,
    headers: Object.entries(fields).map(([name, value]) => ({ name, value })),
    ...(request.body === undefined ? {} : { content_digest: digestOf(request.body) }),
  });

  describe('a key with a public key', () => {
    test('has no key string, signs what is accepted once, and dies like any other', async () => {
      const { id: keyspace } = await makeKeyspace(serverOf(), { proof: 'signature' });
      const { proof, signerFor } = newPair();
      const reply = await serverOf().post('/v1/keys', terms(keyspace, { proof }));
      expect(reply.status, reply.text).toBe(201);
      expect(reply.body).not.toHaveProperty('secret');
      const id = String(reply.body.id);
      const shown = await serverOf().get(`/v1/keys/${id}`);
      expect(shown.body.versions).toMatchObject([{ version: 1, proof }]);
      const request = { ...access, body: '{"a":1}' };
      const question = described(request, signatureOf(signerFor(`${id}.1`), request));
      expect((await askAgain(question)).body).toMatchObject({ valid: true, key_id: id, version: 1 });
      expect((await askAgain(question)).body).toEqual({ valid: false, code: 'replayed' });
      expect(
        (await ask(signerFor(`${id}.1`), { content_digest: digestOf('{"a":2}') }, '{"a":1}')).body,
      ).toEqual({
        valid: false,
        code: 'signature_invalid',
        detail: 'content-digest is not that of the content',
      });
      await serverOf().post(`/v1/keys/${id}/revoke`, {});
      expect((await ask(signerFor(`${id}.1`))).body.code).toBe('revoked');
    });

    test('rotates to the next pair, and not to a key string because nobody named one', async () => {
      const { id: keyspace } = await makeKeyspace(serverOf());
      const [first, second] = [newPair(), newPair()];
      const made = await serverOf().post('/v1/keys', terms(keyspace, { proof: first.proof }));
      const id = String(made.body.id);
      expect(problemOf(await serverOf().post(`/v1/keys/${id}/rotate`, {}))).toEqual({
        code: 'missing_field',
        field: '/proof',
        status: 400,
      });
      const proof = { type: 'ed25519', jwk: second.jwk };
      const rotated = await serverOf().post(`/v1/keys/${id}/rotate`, { proof });
      expect(rotated.status, rotated.text).toBe(200);
      expect(rotated.body).not.toHaveProperty('secret');
      for (const signer of [first.signerFor(`${id}.1`), second.signerFor(`${id}.2`)])
        expect((await ask(signer)).body.code).toBe('valid');
      expect((await ask(second.signerFor(`${id}.1`))).body.code).toBe('signature_invalid');
    });

    test.each([
      [
        'a private key',
        () => ({ type: 'ed25519', jwk: newPair().privateKey.export({ format: 'jwk' }) }),
        '/proof/jwk',
      ],
      [
        'a key that proves nothing',
        () => ({ type: 'ed25519', public_key: 'A'.repeat(43) }),
        '/proof/public_key',
      ],
      ['half a key', () => ({ type: 'ed25519', public_key: 'AAAA' }), '/proof/public_key'],
      ['both forms', () => ({ ...newPair().proof, jwk: newPair().jwk }), '/proof'],
      ['neither form', () => ({ type: 'ed25519' }), '/proof'],
      ['no algorithm', () => ({ type: 'none' }), '/proof/type'],
      [
        'a secret of the caller',
        () => ({ type: 'hmac-sha256', public_key: 'A'.repeat(43) }),
        '/proof/public_key',
      ],
    ])('is not made of %s, which is not repeated', async (_, proof, field) => {
      const reply = await serverOf().post(
        '/v1/keys',
        terms((await makeKeyspace(serverOf())).id, { proof: proof() }),
      );
      expect(problemOf(reply)).toMatchObject({ field, status: 400 });
      expect(reply.text).not.toContain('"d"');
    });
  });

  describe('a keyspace that wants requests signed', () => {
    test('refuses the bearer of a key whose requests it takes, and says so', async () => {
      const { id: keyspace } = await makeKeyspace(serverOf(), { proof: 'signature' });
      const { id, secret } = await issue(serverOf(), keyspace);
      expect(await verdictOf(serverOf(), secret)).toBe('signature_required');
      expect((await ask(macSigner(`${id}.1`, secret))).body.code).toBe('valid');
      expect((await ask(macSigner(`${id}.1`, `${secret}x`))).body.code).toBe('signature_invalid');
      const rotated = await serverOf().post(`/v1/keys/${id}/rotate`, {});
      expect((await ask(macSigner(`${id}.2`, String(rotated.body.secret)))).body.code).toBe('valid');
    });

    test('begins and ends to want it by a change of the keyspace', async () => {
      const { id: keyspace } = await makeKeyspace(serverOf());
      const { secret } = await issue(serverOf(), keyspace);
      const change = (proof: string) =>
        serverOf().call('PATCH', `/v1/keyspaces/${keyspace}`, { body: { proof } });
      expect((await change('signature')).body).toMatchObject({ proof: 'signature' });
      expect(await verdictOf(serverOf(), secret)).toBe('signature_required');
      await change('bearer');
      expect(await verdictOf(serverOf(), secret)).toBe('valid');
    });

    test('can not be the one of the management keys: a setting of the server is for that', async () => {
      const reply = await serverOf().call('PATCH', '/v1/keyspaces/keyswarm', {
        body: { proof: 'signature' },
      });
      expect(problemOf(reply)).toMatchObject({ code: 'builtin_protected' });
    });

    test('imports no key, for nobody has the string from which its secret would come', async () => {
      const { name } = await makeKeyspace(serverOf(), { proof: 'signature' });
      const hash = { format: 'sha256-hex', value: '5'.repeat(64) };
      const reply = await serverOf().post('/v1/keys/import', { keys: [{ ...terms(name), hash }] });
      expect(reply.body.results).toMatchObject([{ error: { code: 'missing_field', field: '/proof' } }]);
    });
  });

  describe('a verification of a described request', () => {
    test('is of one thing, and without a signature it is wanted', async () => {
      const request = { ...access, headers: [] };
      expect(problemOf(await verify(serverOf(), { key: 'x', request }))).toMatchObject({ field: '/request' });
      expect((await verify(serverOf(), { request })).body).toEqual({
        valid: false,
        code: 'signature_required',
      });
      const bad = { ...request, content_digest: 'md5=:AAAA:' };
      expect(problemOf(await verify(serverOf(), { request: bad }))).toMatchObject({
        field: '/request/content_digest',
        status: 400,
      });
    });

    test('tells a caller nothing of management keys that it may not verify', async () => {
      const { secret: narrow } = await issue(serverOf(), 'keyswarm', { scopes: ['keys:verify'] });
      const manager = await issue(serverOf(), 'keyswarm', { scopes: ['keys:issue'] });
      const signed = signatureOf(macSigner(`${manager.id}.1`, manager.secret), access);
      const request = described(access, signed);
      const reply = await serverOf().post('/v1/keys/verify', { request }, { key: narrow });
      expect(reply.body).toEqual({ valid: false, code: 'unknown' });
    });
  });

  describe('a management call that is signed', () => {
    const send = (signer: TestSigner, body: string, change: object = {}): Promise<Reply> => {
      const url = `${publicUrl}/v1/keyspaces`;
      const headers = {
        ...signatureOf(signer, { method: 'POST', url, body }),
        'content-type': 'application/json',
      };
      return serverOf().call('POST', '/v1/keyspaces', { key: null, body, headers, ...change });
    };
    const keyspaceBody = (name: string) =>
      JSON.stringify({ name, prefix: 'orders', allowed_scopes: ['orders:*'] });

    test('does what one with a bearer does, once', async () => {
      const manager = await issue(serverOf(), 'keyswarm', { scopes: ['keyspaces:write', 'keyspaces:read'] });
      const signer = macSigner(`${manager.id}.1`, manager.secret);
      const made = await send(signer, keyspaceBody('signed-once'));
      expect(made.status, made.text).toBe(201);
      const url = `${publicUrl}/v1/keyspaces`;
      const headers = signatureOf(signer, { method: 'GET', url });
      const read = () => serverOf().get('/v1/keyspaces', { key: null, headers });
      expect((await read()).status).toBe(200);
      expect((await read()).status).toBe(401);
    });

    test('with another body than the signed one is refused before anything of it is read', async () => {
      const manager = await issue(serverOf(), 'keyswarm', { scopes: ['keyspaces:write'] });
      const signer = macSigner(`${manager.id}.1`, manager.secret);
      const before = await serverOf().changes();
      const reply = await send(signer, keyspaceBody('signed-body'), { body: keyspaceBody('other-body') });
      expect(problemOf(reply)).toEqual({ code: 'unauthenticated', field: 'Signature', status: 401 });
      expect(await serverOf().changes()).toBe(before);
    });

    test('by a key with a public key never needs a key string', async () => {
      const { proof, signerFor } = newPair();
      const scopes = ['keyspaces:write'];
      const made = await serverOf().post('/v1/keys', terms('keyswarm', { scopes, proof }));
      expect(made.status, made.text).toBe(201);
      const reply = await send(signerFor(`${made.body.id}.1`), keyspaceBody('signed-by-pair'));
      expect(reply.status, reply.text).toBe(201);
      await serverOf().post(`/v1/keys/${made.body.id}/revoke`, {});
      expect((await send(signerFor(`${made.body.id}.1`), keyspaceBody('signed-too-late'))).status).toBe(401);
    });
  });
}
