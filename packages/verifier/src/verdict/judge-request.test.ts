import { createSecretKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import {
  type AlgorithmName,
  algorithms,
  formatSigningKeyId,
  type KeyFact,
  type VersionProof,
} from '@keyswarm/core';
import { digestAlgorithms, fieldsOfPairs } from '@keyswarm/http-signatures';
import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import { createResidentVerifier } from '../resident-verifier.ts';
import { rawOfJwk } from '../signatures/public-key.ts';
import { deriveMacKey, sealMacKey } from '../signatures/request-mac.ts';
import type { SignedRequest } from '../signatures/signed-request.ts';
import { type SignSample, signSample } from '../signatures/testing/sign-sample.ts';
import {
  hourMs,
  keyFact,
  keyId,
  keyString,
  keyspaceFact,
  ownerFact,
  sampleSeed,
  startMs,
  versionFact,
  workspaceId,
} from '../testing/sample-facts.arbitrary.ts';

const pairs: Record<'ed25519' | 'ecdsa-p256-sha256', { privateKey: KeyObject; publicKey: KeyObject }> = {
  ed25519: generateKeyPairSync('ed25519'),
  'ecdsa-p256-sha256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const workspaceMacKey = new Uint8Array(32).fill(3);
const signingKeyId = formatSigningKeyId(keyId(1), 1);
const created = startMs / 1000;

function proofOf(name: AlgorithmName, version = 1): VersionProof {
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('base64url');
  if (name === 'hmac-sha256') {
    const about = { signingKeyId: formatSigningKeyId(keyId(1), version), nonce: new Uint8Array(12) };
    const sealed = sealMacKey(workspaceMacKey, deriveMacKey(keyString(1, version)), about);
    return { version, algorithm: name, material: text(sealed) };
  }
  const jwk = pairs[name].publicKey.export({ format: 'jwk' });
  return { version, algorithm: name, material: text(rawOfJwk(algorithms[name], { ...jwk })) };
}

function signingKeyOf(name: AlgorithmName): KeyObject {
  return name === 'hmac-sha256' ? createSecretKey(deriveMacKey(keyString(1))) : pairs[name].privateKey;
}

function verifierWith(change: Partial<KeyFact> = {}, { opensMacs = true, limits = {} } = {}) {
  const clock = new ManualVerifierClock(startMs);
  const verifier = createResidentVerifier({
    clock,
    shards: 2,
    indexSeed: sampleSeed,
    limits,
    macKeysOf: opensMacs
      ? (id) => (id === workspaceId(1) ? [new Uint8Array(32), workspaceMacKey] : [])
      : undefined,
  });
  const load = verifier.startSnapshot();
  load.applyKeyspace(keyspaceFact(1, { proof: 'signature' }));
  load.applyOwner(ownerFact(1));
  load.applyKey(keyFact(1, { traits: { proofs: [proofOf('ed25519')] }, ...change }));
  load.finish({ epoch: 1, seqs: [0, 0] });
  verifier.renewLease(clock.monotonicMs());
  return { clock, verifier };
}

function signed(change: Partial<SignSample> = {}, name: AlgorithmName = 'ed25519'): SignedRequest {
  return signSample({
    keyId: signingKeyId,
    algorithm: algorithms[name],
    key: signingKeyOf(name),
    created,
    ...change,
  });
}

const with_ = (request: SignedRequest, pairsMore: readonly (readonly [string, string])[]): SignedRequest => {
  const more = fieldsOfPairs(pairsMore);
  return { ...request, fields: (name) => [...request.fields(name), ...more(name)] };
};

describe.each(['ed25519', 'ecdsa-p256-sha256', 'hmac-sha256'] as const)('a request signed by %s', (name) => {
  const fact = { traits: { proofs: [proofOf(name)] } };

  it('gets the verdict of its key, and its content counts', () => {
    const { verifier } = verifierWith(fact);
    const request = signed({ body: '{"a":1}' }, name);
    expect(verifier.verifyRequest(request, { scopes: ['orders:read'] })).toMatchObject({
      valid: true,
      keyId: keyId(1),
      version: 1,
    });
    const changed = { ...signed({ body: '{"a":1}' }, name), content: bytesOf('{"a":2}') };
    expect(verifier.verifyRequest(changed, {})).toEqual(invalid('content-digest is not that of the content'));
  });

  it('is refused with one bit of the signature changed, another method, another target', () => {
    const { verifier } = verifierWith(fact);
    const request = signed({}, name);
    for (const other of [
      { ...request, method: 'PUT' },
      { ...request, url: 'https://api.example/orders?x=2' },
      { ...request, url: 'https://other.example/orders?x=1' },
      { ...request, url: 'https://api.example/a/../orders?x=1' },
    ])
      expect(verifier.verifyRequest(other, {})).toMatchObject({ code: 'signature_invalid' });
    expect(verifier.verifyRequest(request, {}).code).toBe('valid');
  });
});

const bytesOf = (text: string) => ({ kind: 'bytes', bytes: Buffer.from(text) }) as const;
const invalid = (detail: string) => ({ valid: false, code: 'signature_invalid', detail });

describe('what a message says of its algorithm', () => {
  it.each(['none', 'hmac-sha256', 'ecdsa-p256-sha256', 'rsa-pss-sha512', 'Ed25519', ''])(
    'changes nothing: %s is refused for a key of ed25519',
    (alg) => {
      const { verifier } = verifierWith();
      expect(verifier.verifyRequest(signed({ parameters: { alg } }), {})).toEqual(
        invalid('alg is not the algorithm of the key'),
      );
    },
  );

  it('is no way to use a public key as the secret of a MAC', () => {
    const { verifier } = verifierWith();
    const raw = Buffer.from(proofOf('ed25519').material, 'base64url');
    for (const secret of [raw, pairs.ed25519.publicKey.export({ format: 'der', type: 'spki' })]) {
      const key = createSecretKey(secret);
      const forged = signed({ key, algorithm: algorithms['hmac-sha256'], parameters: { alg: 'ed25519' } });
      expect(verifier.verifyRequest(forged, {}).code).toBe('signature_invalid');
    }
  });

  it('may be said where it is right', () => {
    const { verifier } = verifierWith();
    expect(verifier.verifyRequest(signed({ parameters: { alg: 'ed25519' } }), {}).code).toBe('valid');
  });
});

describe('a signed request is refused', () => {
  it.each<readonly [string, Partial<SignSample>, string]>([
    ['without a nonce', { parameters: { nonce: undefined } }, 'nonce is missing'],
    ['for another purpose', { parameters: { tag: 'other' } }, 'no signature has the tag keyswarm'],
    ['that has expired', { created: created - 31 }, 'expires has passed'],
    ['at the very instant at which it expires', { created: created - 30 }, 'expires has passed'],
    ['that is of the future', { created: created + 6 }, 'created is in the future'],
    ['that would live too long', { expires: created + 61 }, 'expires is not within 60 s after created'],
    ['without its method', { components: ['@target-uri'] }, '@method is not covered'],
    ['without its target', { components: ['@method'] }, '@target-uri is not covered'],
    [
      'with content and no digest of it',
      { body: 'x', components: ['@method', '@target-uri'] },
      'content-digest is not covered',
    ],
    [
      'of a key that is none',
      { keyId: 'orders_live_x' },
      'keyid is not the id of a key, a point and a version',
    ],
  ])('%s', (_, change, detail) => {
    const { verifier } = verifierWith();
    expect(verifier.verifyRequest(signed(change), {})).toEqual(invalid(detail));
  });

  it('whose fields stand twice', () => {
    const { verifier } = verifierWith();
    const one = signed();
    const again = (name: string): readonly [string, string] => [name, one.fields(name)[0] ?? ''];
    for (const names of [['signature'], ['signature-input'], ['signature', 'signature-input']])
      expect(verifier.verifyRequest(with_(one, names.map(again)), {}).code).toBe('signature_invalid');
    const body = signed({ body: 'x' });
    const other = with_(body, [['content-digest', 'sha-512=:AAAA:']]);
    expect(verifier.verifyRequest(other, {}).code).toBe('signature_invalid');
  });

  it('with content that no digest speaks of, and with a digest of an algorithm that is broken', () => {
    const { verifier } = verifierWith();
    expect(verifier.verifyRequest({ ...signed(), content: bytesOf('x') }, {}).code).toBe('signature_invalid');
    const md5 = signed({
      more: [['content-digest', 'md5=:AAAA:']],
      components: ['@method', '@target-uri', 'content-digest'],
    });
    expect(verifier.verifyRequest({ ...md5, content: bytesOf('x') }, {})).toEqual(
      invalid('content-digest has neither sha-256 nor sha-512'),
    );
  });

  it('of a key that is unknown, of another workspace, or of a version that has none', () => {
    const { verifier } = verifierWith();
    const ofNobody = signed({ keyId: formatSigningKeyId(keyId(9), 1) });
    const ofNoVersion = signed({ keyId: formatSigningKeyId(keyId(1), 2) });
    for (const request of [ofNobody, ofNoVersion])
      expect(verifier.verifyRequest(request, {})).toEqual({ valid: false, code: 'unknown' });
    const elsewhere = { workspaceId: workspaceId(2) };
    expect(verifier.verifyRequest(signed(), elsewhere)).toEqual({ valid: false, code: 'unknown' });
    expect(verifier.verifyRequest({ ...signed(), method: 'PUT' }, elsewhere).code).toBe('unknown');
  });

  it('as its key would be: revoked, suspended, for want of a scope, in another keyspace', () => {
    const codeOf = (change: Partial<KeyFact>, requirement = {}) =>
      verifierWith(change).verifier.verifyRequest(signed(), requirement).code;
    expect(codeOf({ state: 'revoked' })).toBe('revoked');
    expect(codeOf({ state: 'suspended' })).toBe('suspended');
    expect(codeOf({ expiresAtMs: startMs })).toBe('expired');
    expect(codeOf({}, { scopes: ['billing:read'] })).toBe('insufficient_scope');
    expect(codeOf({}, { keyspace: 'other' })).toBe('wrong_keyspace');
  });
});

describe('a captured request', () => {
  it('is refused the second time, and when its time has passed', () => {
    const { verifier, clock } = verifierWith();
    const request = signed();
    expect(verifier.verifyRequest(request, {}).code).toBe('valid');
    expect(verifier.verifyRequest(request, {})).toEqual({ valid: false, code: 'replayed' });
    clock.advance(29_999);
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.verifyRequest(request, {}).code).toBe('replayed');
    clock.advance(1);
    expect(verifier.verifyRequest(request, {}).code).toBe('signature_invalid');
    verifier.verifyRequest(signed({ created: created + 30 }), {});
    expect(verifier.stats().noncesRemembered).toBe(1);
  });

  it('is refused by a verifier that has taken over another table meanwhile', () => {
    const { verifier, clock } = verifierWith();
    const request = signed();
    expect(verifier.verifyRequest(request, {}).code).toBe('valid');
    const load = verifier.startSnapshot();
    for (const { kind, fact } of verifier.facts()) {
      if (kind === 'key') load.applyKey(fact);
      else if (kind === 'owner') load.applyOwner(fact);
      else if (kind === 'keyspace') load.applyKeyspace(fact);
    }
    load.finish({ epoch: 1, seqs: [0, 0] });
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.verifyRequest(request, {}).code).toBe('replayed');
    expect(verifier.verifyRequest(signed(), {}).code).toBe('valid');
  });

  it('was not used up by a forged one with its nonce, nor by one that was refused', () => {
    const { verifier } = verifierWith();
    const nonce = 'a-nonce-that-was-seen';
    const forged = { ...signed({ nonce }), method: 'DELETE' };
    expect(verifier.verifyRequest(forged, {}).code).toBe('signature_invalid');
    expect(verifier.verifyRequest(signed({ nonce }), { scopes: ['none:x'] }).code).toBe('insufficient_scope');
    expect(verifier.verifyRequest(signed({ nonce }), {}).code).toBe('valid');
  });

  it('never passes because there were too many others: those are turned away', () => {
    const { verifier, clock } = verifierWith({}, { limits: { noncesMax: 3, noncesPerKeyMax: 3 } });
    const first = signed();
    for (const request of [first, signed(), signed()])
      expect(verifier.verifyRequest(request, {}).code).toBe('valid');
    expect(verifier.verifyRequest(signed(), {})).toEqual({ valid: false, code: 'rate_limited' });
    expect(verifier.verifyRequest(first, {}).code).toBe('replayed');
    clock.advance(30_000);
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.verifyRequest(signed({ created: created + 30 }), {}).code).toBe('valid');
  });
});

describe('a keyspace that wants signatures', () => {
  it('refuses a bare bearer, however good, and takes it again when it no longer does', () => {
    const { verifier } = verifierWith();
    expect(verifier.verify(keyString(1), {})).toEqual({ valid: false, code: 'signature_required' });
    expect(verifier.verifyRequest({ ...signed(), fields: fieldsOfPairs([]) }, {})).toEqual({
      valid: false,
      code: 'signature_required',
    });
    verifier.applyKeyspace(keyspaceFact(1, { revision: 2 }));
    expect(verifier.verify(keyString(1), {}).code).toBe('valid');
    expect(verifier.verifyRequest(signed(), {}).code).toBe('valid');
  });

  it('says nothing of it for a key that is ended', () => {
    const { verifier } = verifierWith({ state: 'revoked' });
    expect(verifier.verify(keyString(1), {}).code).toBe('revoked');
  });
});

describe('a key that signs', () => {
  it('signs with each of its versions, until that one is retired', () => {
    const second = generateKeyPairSync('ed25519');
    const raw = rawOfJwk(algorithms.ed25519, { ...second.publicKey.export({ format: 'jwk' }) });
    const proofs = [
      proofOf('ed25519'),
      { ...proofOf('ed25519', 2), material: Buffer.from(raw ?? []).toString('base64url') },
    ];
    const versions = [
      versionFact(1, 1, { state: 'grace', retiresAtMs: startMs + hourMs }),
      versionFact(1, 2),
    ];
    const { verifier } = verifierWith();
    verifier.applyKey(keyFact(1, { revision: 2, traits: { proofs }, versions }));
    const newOne = { keyId: formatSigningKeyId(keyId(1), 2), key: second.privateKey };
    expect(verifier.verifyRequest(signed(), {})).toMatchObject({ code: 'valid', version: 1 });
    expect(verifier.verifyRequest(signed(newOne), {})).toMatchObject({ code: 'valid', version: 2 });
    expect(verifier.verifyRequest(signed({ ...newOne, keyId: signingKeyId }), {}).code).toBe(
      'signature_invalid',
    );
    verifier.applyKey(
      keyFact(1, { revision: 3, traits: { proofs: proofs.slice(1) }, versions: versions.slice(1) }),
    );
    expect(verifier.verifyRequest(signed(), {}).code).toBe('unknown');
  });

  it('can be neither accepted nor refused where the secret of its workspace is not known', () => {
    const fact = { traits: { proofs: [proofOf('hmac-sha256')] } };
    const { verifier } = verifierWith(fact, { opensMacs: false });
    expect(verifier.verifyRequest(signed({}, 'hmac-sha256'), {})).toEqual({ valid: null, code: 'stale' });
  });

  it('is not answered for without a lease, and its nonce is not used up by that', () => {
    const { verifier, clock } = verifierWith();
    const request = signed({ expires: created + 60 });
    clock.advance(31_000);
    expect(verifier.verifyRequest(request, {}).code).toBe('stale');
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.verifyRequest(request, {}).code).toBe('valid');
  });
});

describe('content that was read elsewhere', () => {
  const request = signed({ body: 'abc' });
  const digestOf = (text: string, name: 'sha-256' | 'sha-512') => ({
    algorithm: digestAlgorithms[name],
    bytes: hash(digestAlgorithms[name].node, text, 'buffer'),
  });

  it('counts by the digest that was reckoned there', () => {
    const codeOf = (content: SignedRequest['content']) =>
      verifierWith().verifier.verifyRequest({ ...request, content }, {}).code;
    expect(codeOf({ kind: 'digests', digests: [digestOf('abc', 'sha-256')] })).toBe('valid');
    expect(codeOf({ kind: 'digests', digests: [digestOf('abd', 'sha-256')] })).toBe('signature_invalid');
    // One that can't be compared proves nothing.
    expect(codeOf({ kind: 'digests', digests: [digestOf('abc', 'sha-512')] })).toBe('signature_invalid');
    expect(codeOf({ kind: 'none' })).toBe('signature_invalid');
    expect(codeOf({ kind: 'unread' })).toBe('valid');
  });
});
