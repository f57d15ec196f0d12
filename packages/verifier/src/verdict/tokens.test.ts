import { createHmac } from 'node:crypto';
import { algorithms, tokenClaimsText, tokenHeaderText, tokenLengthMax } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import {
  hourMs,
  keyFact,
  keyId,
  keyString,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  readyVerifier,
  startMs,
  versionFact,
  workspaceId,
} from '../testing/sample-facts.arbitrary.ts';
import {
  derivedClaims,
  keyOfToken,
  type SampleSigner,
  sampleClaims,
  sampleSigner,
  signedText,
  signingKeyId,
  tokenOf,
} from '../testing/sample-tokens.arbitrary.ts';
import type { Requirement } from '../verifier-port.ts';
import { fingerprintOf } from './fingerprint.ts';
import { TokenCache } from './token-cache.ts';

const required: Requirement = { workspaceId: workspaceId(1), keyspace: 'orders-1', scopes: ['orders:read'] };

function bench(signer: SampleSigner = sampleSigner(1)) {
  const { clock, verifier } = readyVerifier();
  verifier.applySigningKey(signer.fact);
  verifier.applyKey(keyFact(1));
  const say = (token: string, wanted = required) => verifier.verify(token, wanted).code;
  return { clock, verifier, signer, say };
}

const nowSeconds = Math.floor(startMs / 1000);

describe.each(['ed25519', 'ecdsa-p256-sha256'] as const)('a key that is a token signed with %s', (name) => {
  const signer = sampleSigner(1, name);
  const token = tokenOf(signer, sampleClaims(2));

  it('is valid as any other key, with what its record says', () => {
    const { verifier } = bench(signer);
    verifier.applyKey(keyOfToken(2, token));
    for (let time = 0; time < 2; time += 1) {
      expect(verifier.verify(token, required)).toMatchObject({
        valid: true,
        keyId: keyId(2),
        version: 1,
        scopes: ['orders:*'],
        expiresAtMs: (nowSeconds + 3600) * 1000,
      });
    }
  });

  it('is refused as its record is, also when its signature has been verified before', () => {
    const { verifier, say } = bench(signer);
    verifier.applyKey(keyOfToken(2, token));
    expect(say(token)).toBe('valid');
    verifier.applyKey(keyOfToken(2, token, { revision: 2, state: 'suspended' }));
    expect(say(token)).toBe('suspended');
    verifier.applyKey(keyOfToken(2, token, { revision: 3, state: 'revoked' }));
    expect(say(token)).toBe('revoked');
  });

  it('is unknown without a record, however good its signature', () => {
    expect(bench(signer).say(token)).toBe('unknown');
  });

  it('is none with another signature, header or claim', () => {
    const { verifier, say } = bench(signer);
    verifier.applyKey(keyOfToken(2, token));
    const [header = '', claims = '', signature = ''] = token.split('.');
    const other = tokenOf(signer, sampleClaims(2, { scope: 'orders:write' })).split('.');
    expect(say(`${header}.${claims}.${other[2]}`)).toBe('signature_invalid');
    expect(say(`${header}.${other[1]}.${signature}`)).toBe('signature_invalid');
    expect(say(`${header}.${claims}.`)).toBe('malformed');
    expect(say(`${header}.${claims}`)).toBe('malformed');
    expect(say(`${header}.${claims}.${signature}.${signature}`)).toBe('malformed');
    expect(say(`${token}=`)).toBe('malformed');
  });
});

describe('a forged token', () => {
  const signer = sampleSigner(1);
  const claims = tokenClaimsText(derivedClaims(1));
  const encode = (text: string) => Buffer.from(text).toString('base64url');

  it('is never verified by an algorithm that it names itself', () => {
    const { say } = bench(signer);
    const kid = signer.fact.id;
    const none = `${encode(tokenHeaderText('none', kid))}.${encode(claims)}.`;
    expect(say(none)).toBe('signature_invalid');
    for (const alg of ['HS256', 'ES256', 'RS256', 'NONE', 'eddsa'])
      expect(say(signedText(signer, tokenHeaderText(alg, kid), claims))).toBe('signature_invalid');
  });

  it('does not pass with the public key as the secret of a MAC', () => {
    const { say } = bench(signer);
    for (const secret of [signer.fact.publicKey, Buffer.from(signer.fact.publicKey).toString('base64url')]) {
      for (const alg of ['HS256', 'EdDSA']) {
        const signed = `${encode(tokenHeaderText(alg, signer.fact.id))}.${encode(claims)}`;
        const mac = createHmac('sha256', secret).update(signed).digest('base64url');
        expect(['signature_invalid', 'malformed']).toContain(say(`${signed}.${mac}`));
      }
    }
  });

  it('does not bring its own key, type or critical extension along', () => {
    const { say } = bench(signer);
    const { id } = signer.fact;
    for (const header of [
      `{"alg":"EdDSA","typ":"JWT","kid":"${id}"}`,
      `{"alg":"EdDSA","typ":"at+jwt","kid":"${id}","crit":["exp"]}`,
      `{"alg":"EdDSA","typ":"at+jwt","kid":"${id}","jwk":{"kty":"OKP"}}`,
      `{"typ":"at+jwt","alg":"EdDSA","kid":"${id}"}`,
      `{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"${id}"}`,
    ])
      expect(say(signedText(signer, header, claims))).toBe('signature_invalid');
    expect(say(signedText(signer, '{"alg":"EdDSA","typ":"at+jwt"}', claims))).toBe('malformed');
  });

  it('is not taken for one of another signing key', () => {
    const { verifier, say } = bench(signer);
    const other = sampleSigner(2);
    verifier.applySigningKey(other.fact);
    const header = tokenHeaderText('EdDSA', signer.fact.id);
    expect(say(signedText(other, header, claims))).toBe('signature_invalid');
    expect(say(tokenOf(other, derivedClaims(1)))).toBe('valid');
  });

  it('is none when its claims are not to the letter, though the signature is right', () => {
    const { say } = bench(signer);
    const header = tokenHeaderText('EdDSA', signer.fact.id);
    const parsed = JSON.parse(claims) as Record<string, unknown>;
    const texts = [
      claims.replace('{', '{"exp":9999999999,'),
      claims.replace('{', '{ '),
      claims.replace('{', '{"admin":true,'),
      claims.replace('"depth":1', '"depth":9'),
      claims.replace('"depth":1', '"depth":[[[[1]]]]'),
      claims.replace(/"exp":\d+/, '"exp":"never"'),
      claims.replace(/"exp":\d+/, '"exp":1e300'),
      claims.replace('orders:read', 'orders:read orders:read'),
      claims.replace(/"aud":"[^"]+"/, `"aud":["${keyspaceId(1)}"]`),
      JSON.stringify({ ...parsed, iss: 'https://elsewhere.example' }),
      JSON.stringify({ ...parsed, client_id: undefined }),
      '[]',
      'null',
      '',
      '{',
    ];
    for (const text of texts) expect(say(signedText(signer, header, text)), text).toBe('malformed');
  });

  it('is malformed unread when it is longer than a token can be', () => {
    const { say } = bench(signer);
    const megabyte = tokenOf(signer, derivedClaims(1)).replace('.', `.${'A'.repeat(1_048_576)}`);
    expect(say(megabyte)).toBe('malformed');
    expect(say(`eyJ${'A'.repeat(1_048_576)}`)).toBe('malformed');
    expect(say(`${'eyJ.'.repeat(tokenLengthMax)}`)).toBe('malformed');
  });

  it('of a signing key that nobody knows is unknown, and turned into nothing that is remembered', () => {
    const { verifier, say } = bench(signer);
    for (let number = 100; number < 200; number += 1)
      expect(say(tokenOf(sampleSigner(number), derivedClaims(1)))).toBe('unknown');
    const late = sampleSigner(500);
    const token = tokenOf(late, derivedClaims(1));
    expect(say(token)).toBe('unknown');
    verifier.applySigningKey(late.fact);
    expect(say(token)).toBe('valid');
  });
});

describe('a derived token', () => {
  it('is worth what its key is worth, and no more', () => {
    const { verifier, signer } = bench();
    const token = tokenOf(signer, derivedClaims(1));
    expect(verifier.verify(token, required)).toMatchObject({
      valid: true,
      keyId: keyId(1),
      scopes: ['orders:read'],
      expiresAtMs: (nowSeconds + 3600) * 1000,
    });
    expect(verifier.verify(token, { ...required, scopes: ['orders:write'] }).code).toBe('insufficient_scope');
    expect(verifier.verify(token, { ...required, keyspace: 'orders-2' }).code).toBe('wrong_keyspace');
    expect(verifier.verify(token, { ...required, workspaceId: workspaceId(2) }).code).toBe('unknown');
  });

  it('dies with its key, its owner, its keyspace, and the version that it was derived from', () => {
    const after = (change: (verifier: ReturnType<typeof bench>['verifier']) => void) => {
      const { verifier, signer, say } = bench();
      const token = tokenOf(signer, derivedClaims(1));
      expect(say(token)).toBe('valid');
      change(verifier);
      return say(token);
    };
    expect(after((one) => one.applyKey(keyFact(1, { revision: 2, state: 'revoked' })))).toBe('revoked');
    expect(after((one) => one.applyKey(keyFact(1, { revision: 2, state: 'suspended' })))).toBe('suspended');
    expect(after((one) => one.applyOwner(ownerFact(1, { revision: 2, state: 'suspended' })))).toBe(
      'suspended',
    );
    expect(after((one) => one.applyOwner(ownerFact(1, { revision: 2, keysNotBeforeMs: startMs })))).toBe(
      'revoked',
    );
    expect(after((one) => one.applyKeyspace(keyspaceFact(1, { revision: 2, state: 'suspended' })))).toBe(
      'suspended',
    );
    const retired = versionFact(1, 1, { state: 'retired', retiresAtMs: startMs });
    const rotated = keyFact(1, { revision: 2, versions: [retired, versionFact(1, 2)] });
    expect(after((one) => one.applyKey(rotated))).toBe('expired');
    expect(after((one) => one.applyKey(keyFact(1, { revision: 2, versions: [versionFact(1, 2)] })))).toBe(
      'valid',
    );
  });

  it('loses what its key has lost', () => {
    const { verifier, signer, say } = bench();
    const token = tokenOf(signer, derivedClaims(1, { scope: 'orders:read orders:write' }));
    verifier.applyKey(keyFact(1, { revision: 2, scopes: ['orders:read'] }));
    expect(verifier.verify(token, required)).toMatchObject({ scopes: ['orders:read'] });
    expect(say(token, { ...required, scopes: ['orders:write'] })).toBe('insufficient_scope');
    verifier.applyKey(keyFact(1, { revision: 3, expiresAtMs: startMs - 1 }));
    expect(say(token)).toBe('expired');
  });

  it('is unknown where it names another key than has that fingerprint, or another keyspace', () => {
    const { say, signer, verifier } = bench();
    verifier.applyKey(keyFact(3));
    expect(say(tokenOf(signer, { ...derivedClaims(1), client_id: keyId(3) }))).toBe('unknown');
    expect(say(tokenOf(signer, { ...derivedClaims(1), aud: keyspaceId(2) }))).toBe('unknown');
  });

  it('expires to the millisecond, and is not valid before its time', () => {
    const { clock, signer, say } = bench();
    const token = tokenOf(signer, derivedClaims(1, { exp: nowSeconds + 1 }));
    expect(say(token)).toBe('valid');
    const early = tokenOf(signer, derivedClaims(1, { iat: nowSeconds + 60, nbf: nowSeconds + 60 }));
    expect(say(early)).toBe('not_yet_valid');
    clock.advance(1000);
    expect(say(token)).toBe('expired');
  });
});

describe('a signing key', () => {
  const token = (signer: SampleSigner) => tokenOf(signer, derivedClaims(1));

  it.each(['published', 'active', 'retired'] as const)('verifies while it is %s', (state) => {
    const signer = sampleSigner(1, 'ed25519', { state });
    expect(bench(signer).say(token(signer))).toBe('valid');
  });

  it('that was removed ends all it signed, whenever that is dated', () => {
    const { verifier, signer, say } = bench();
    const later = tokenOf(signer, derivedClaims(1, { iat: nowSeconds + 5 }));
    expect(say(token(signer))).toBe('valid');
    verifier.applySigningKey({ ...signer.fact, revision: 2, state: 'removed', notBeforeMs: startMs });
    expect(say(token(signer))).toBe('revoked');
    expect(say(later)).toBe('revoked');
    verifier.applySigningKey(signer.fact);
    expect(say(token(signer))).toBe('revoked');
    expect([...verifier.signingKeys()]).toEqual([]);
  });

  it('with a watermark ends what it signed until then, and nothing later', () => {
    const { verifier, signer, say } = bench();
    const later = tokenOf(signer, derivedClaims(1, { iat: nowSeconds + 1 }));
    verifier.applySigningKey({ ...signer.fact, revision: 2, notBeforeMs: startMs });
    expect(say(token(signer))).toBe('revoked');
    expect(say(later)).toBe('valid');
  });

  it('is of no use to a key of another workspace', () => {
    const signer = sampleSigner(1, 'ed25519', { workspaceId: workspaceId(2) });
    expect(bench(signer).say(token(signer))).toBe('unknown');
    expect(bench(signer).say(token(signer), { scopes: [] })).toBe('unknown');
  });

  it('goes along when a table is made of another', () => {
    const { verifier, signer } = bench();
    const facts = [...verifier.facts({ workspaceId: workspaceId(1) })];
    expect(facts.filter(({ kind }) => kind === 'signingKey')).toEqual([
      { kind: 'signingKey', fact: signer.fact },
    ]);
    expect([...verifier.facts({ workspaceId: workspaceId(2) })]).toEqual([]);
    expect(verifier.signingKey(signingKeyId(1))).toEqual(signer.fact);
  });
});

describe('a token as a key of another system', () => {
  it('is found by its digest like any imported key', () => {
    const { verifier, say } = bench();
    const foreign = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"a":1}').toString('base64url')}.c2ln`;
    verifier.applyKey(
      keyFact(5, { versions: [versionFact(5, 1, { fingerprint: fingerprintOf(foreign).slice(0, 16) })] }),
    );
    expect(say(foreign)).toBe('valid');
    expect(say(`${foreign}x`)).toBe('malformed');
  });
});

describe('without a lease', () => {
  it('no token is valid', () => {
    const { clock, signer, say } = bench();
    clock.advance(hourMs / 60);
    expect(say(tokenOf(signer, derivedClaims(1)))).toBe('stale');
  });
});

describe('what is remembered of tokens', () => {
  it('is bounded, and what is asked for stays', () => {
    const cache = new TokenCache(10);
    const token = { signingKeyId: signingKeyId(1) } as Parameters<TokenCache['set']>[1];
    cache.set('kept', token);
    for (let at = 0; at < 1000; at += 1) {
      cache.set(`other ${at}`, token);
      expect(cache.get('kept')).toBe(token);
      expect(cache.size).toBeLessThanOrEqual(10);
    }
    expect(cache.get('other 3')).toBeUndefined();
  });
});

it('the algorithms of tokens are entries of the table', () => {
  for (const name of ['ed25519', 'ecdsa-p256-sha256'] as const)
    expect(algorithms[name].kind).toBe('signature');
  expect(keyString(1)).not.toContain('.');
});
