import { createHash, generateKeyPairSync, hash, sign } from 'node:crypto';
import {
  formatSigningKeyId,
  idFromUuidBytes,
  type KeyFact,
  type KeyspaceFact,
  mintKeyString,
  signedRequestProfile,
} from '@keyswarm/core';
import {
  buildSignatureBase,
  component,
  digestAlgorithms,
  fieldsOfPairs,
  formatContentDigest,
  formatSignature,
} from '@keyswarm/http-signatures';
import { createResidentVerifier, ManualVerifierClock, type Verifier } from '@keyswarm/verifier';

/* A verifier that knows one key with a key string, and one with a public key, in a keyspace each. */

export const origin = 'https://orders.example';
const startMs = 1_800_000_000_000;
const id = (name: string) => createHash('sha256').update(name).digest().subarray(0, 16);
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const { x: material = '' } = publicKey.export({ format: 'jwk' });

export const bearer = mintKeyString('orders', (count) => new Uint8Array(count).fill(7));
const signer = idFromUuidBytes('key', id('signer'));

const workspaceId = idFromUuidBytes('ws', id('workspace'));
const ownerId = idFromUuidBytes('own', id('owner'));
const keyspaceIds = { open: idFromUuidBytes('ks', id('open')), signed: idFromUuidBytes('ks', id('signed')) };

const keyspaceFact = (name: 'open' | 'signed'): KeyspaceFact => ({
  id: keyspaceIds[name],
  workspaceId,
  revision: 1,
  name,
  state: 'active',
  leaseMs: 30_000,
  ...(name === 'signed' ? { proof: 'signature' } : {}),
  keysNotBeforeMs: null,
});

const keyFact = (name: string, change: Partial<KeyFact>, fingerprint: Uint8Array): KeyFact => ({
  id: idFromUuidBytes('key', id(name)),
  revision: 1,
  keyspaceId: keyspaceIds.open,
  ownerId,
  scopes: ['orders:read'],
  state: 'active',
  notBeforeMs: null,
  expiresAtMs: null,
  versions: [{ number: 1, fingerprint, state: 'active', mintedAtMs: startMs - 1000, retiresAtMs: null }],
  ...change,
});

export function benchVerifier() {
  const clock = new ManualVerifierClock(startMs);
  const resident = createResidentVerifier({ clock, shards: 1 });
  const load = resident.startSnapshot();
  load.applyKeyspace(keyspaceFact('open'));
  load.applyKeyspace(keyspaceFact('signed'));
  load.applyOwner({
    id: ownerId,
    revision: 1,
    kind: 'service',
    externalId: 'billing',
    state: 'active',
    keysNotBeforeMs: null,
  });
  load.applyKey(keyFact('bearer', {}, hash('sha256', bearer, 'buffer').subarray(0, 16)));
  const proofs = [{ version: 1, algorithm: 'ed25519' as const, material }];
  const signing = { keyspaceId: keyspaceIds.signed, traits: { proofs } };
  load.applyKey(keyFact('signer', signing, new Uint8Array(16).fill(9)));
  load.finish({ epoch: 1, seqs: [0] });
  resident.renewLease(clock.monotonicMs());
  const verifier: Pick<Verifier, 'verifyFresh' | 'verifyRequestFresh'> = {
    verifyFresh: async (key, requirement = {}) => ({ ...resident.verify(key, requirement), asOf: null }),
    verifyRequestFresh: async (request, requirement = {}) => ({
      ...resident.verifyRequest(request, requirement),
      asOf: null,
    }),
  };
  return { clock, verifier };
}

let nonces = 0;

/** The fields of a request signed by the key with the public key. */
export function signedFields(method: string, target: string, body?: string): Record<string, string> {
  const algorithm = digestAlgorithms['sha-256'];
  const digest: Record<string, string> =
    body === undefined
      ? {}
      : { 'content-digest': formatContentDigest({ algorithm, bytes: hash('sha256', body, 'buffer') }) };
  const { components, componentsWithContent, tag } = signedRequestProfile;
  const covered = body === undefined ? components : [...components, ...componentsWithContent];
  nonces += 1;
  const input = {
    components: covered.map((name) => component(name)),
    parameters: new Map<string, string | number>([
      ['created', startMs / 1000],
      ['expires', startMs / 1000 + 30],
      ['nonce', `nonce-of-a-test-${nonces}`],
      ['keyid', formatSigningKeyId(signer, 1)],
      ['tag', tag],
    ]),
  };
  const message = { method, url: origin + target, fields: fieldsOfPairs(Object.entries(digest)) };
  const signature = sign(null, Buffer.from(buildSignatureBase(message, input)), privateKey);
  return { ...digest, ...formatSignature('sig', input, signature) };
}
