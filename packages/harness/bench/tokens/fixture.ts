import { generateKeyPairSync, hash, type KeyObject, randomBytes } from 'node:crypto';
import {
  algorithms,
  idFromUuidBytes,
  type KeyFact,
  type KeyspaceFact,
  mintKeyString,
  type OwnerFact,
  type SigningAlgorithm,
  type SigningKeyFact,
  tokenClaimsText,
  tokenHeaderText,
} from '@keyswarm/core';
import { createResidentVerifier, type ResidentVerifier, systemVerifierClock } from '@keyswarm/verifier';
import { rawOfJwk, signBytes } from '@keyswarm/verifier/signatures';

/** One key, tokens that hang on it, and verifiers that know both and have seen none of the tokens yet. */
export interface TokenFixture {
  readonly tokens: readonly string[];
  readonly publicKey: KeyObject;
  freshVerifier(): ResidentVerifier;
}

const issuer = 'https://keys.example';

export function tokenFixture(name: SigningAlgorithm, count: number): TokenFixture {
  const pair =
    name === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = algorithms[name];
  const ids = {
    ws: idFromUuidBytes('ws', randomBytes(16)),
    ks: idFromUuidBytes('ks', randomBytes(16)),
    own: idFromUuidBytes('own', randomBytes(16)),
    key: idFromUuidBytes('key', randomBytes(16)),
    sk: idFromUuidBytes('sk', randomBytes(16)),
  };
  const fingerprint = hash('sha256', mintKeyString('orders', randomBytes), 'buffer').subarray(0, 16);
  const nowS = Math.floor(Date.now() / 1000);
  const header = Buffer.from(tokenHeaderText(algorithm.jose, ids.sk)).toString('base64url');
  const tokens = Array.from({ length: count }, () => {
    const claims = tokenClaimsText({
      iss: issuer,
      sub: ids.own,
      aud: ids.ks,
      client_id: ids.key,
      scope: 'orders:read orders:write',
      exp: nowS + 3_600,
      nbf: nowS,
      iat: nowS,
      jti: randomBytes(16).toString('base64url'),
      keyswarm: { parent: fingerprint.toString('base64url'), depth: 1 },
    });
    const signed = `${header}.${Buffer.from(claims).toString('base64url')}`;
    return `${signed}.${Buffer.from(signBytes(algorithm, pair.privateKey, Buffer.from(signed))).toString('base64url')}`;
  });
  const facts = factsOf(ids, fingerprint, {
    algorithm: name,
    publicKey: rawOfJwk(algorithm, pair.publicKey.export({ format: 'jwk' })) ?? new Uint8Array(),
  });
  return { tokens, publicKey: pair.publicKey, freshVerifier: () => verifierWith(facts) };
}

interface Facts {
  readonly key: KeyFact;
  readonly owner: OwnerFact;
  readonly keyspace: KeyspaceFact;
  readonly signingKey: SigningKeyFact;
}

function factsOf(
  ids: {
    readonly ws: KeyspaceFact['workspaceId'];
    readonly ks: KeyspaceFact['id'];
    readonly own: OwnerFact['id'];
    readonly key: KeyFact['id'];
    readonly sk: SigningKeyFact['id'];
  },
  fingerprint: Uint8Array,
  signer: Pick<SigningKeyFact, 'algorithm' | 'publicKey'>,
): Facts {
  const version = { number: 1, fingerprint, state: 'active', mintedAtMs: 1_000, retiresAtMs: null } as const;
  return {
    keyspace: {
      id: ids.ks,
      workspaceId: ids.ws,
      revision: 1,
      name: 'orders',
      state: 'active',
      leaseMs: 600_000,
      keysNotBeforeMs: null,
    },
    owner: {
      id: ids.own,
      revision: 1,
      kind: 'service',
      externalId: 'billing',
      state: 'active',
      keysNotBeforeMs: null,
    },
    key: {
      id: ids.key,
      revision: 1,
      keyspaceId: ids.ks,
      ownerId: ids.own,
      scopes: ['orders:*'],
      state: 'active',
      notBeforeMs: null,
      expiresAtMs: null,
      versions: [version],
    },
    signingKey: {
      id: ids.sk,
      workspaceId: ids.ws,
      revision: 1,
      ...signer,
      issuer,
      state: 'active',
      notBeforeMs: null,
    },
  };
}

function verifierWith({ key, owner, keyspace, signingKey }: Facts): ResidentVerifier {
  const clock = systemVerifierClock();
  const verifier = createResidentVerifier({ clock, shards: 4 });
  const load = verifier.startSnapshot();
  load.applyKeyspace(keyspace);
  load.applyOwner(owner);
  load.applyKey(key);
  load.applySigningKey(signingKey);
  load.finish({ epoch: 1, seqs: [1, 1, 1, 1] });
  verifier.renewLease(clock.monotonicMs());
  return verifier;
}
