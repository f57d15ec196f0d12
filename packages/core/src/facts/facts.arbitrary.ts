import fc from 'fast-check';
import { idFromUuidBytes, uuidBytesOf } from '../ids/id-codec.ts';
import { scopeLists } from '../scopes/scopes.arbitrary.ts';
import { normaliseScopes } from '../scopes/scopes.ts';
import { signingAlgorithms, signingKeyStates } from '../signing/signing-key.ts';
import { publicKeyBytesOf, type SigningKeyFact } from '../signing/signing-key-fact.ts';
import {
  type EventType,
  eventTypes,
  type FeedRow,
  type KeyFact,
  type KeyspaceFact,
  type KeyTraitsFact,
  type OwnerFact,
  type VersionFact,
} from './facts.ts';

const uuids = fc.uint8Array({ minLength: 16, maxLength: 16 });
const times = fc.integer({ min: 0, max: 253_402_300_799_999 });
const timesOrNull = fc.option(times, { nil: null });
const revisions = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const keyIds = uuids.map((bytes) => idFromUuidBytes('key', bytes));
const ownerIds = uuids.map((bytes) => idFromUuidBytes('own', bytes));
const keyspaceIds = uuids.map((bytes) => idFromUuidBytes('ks', bytes));
const workspaceIds = uuids.map((bytes) => idFromUuidBytes('ws', bytes));
const texts = (lengthMax: number) =>
  fc.string({ unit: 'grapheme', maxLength: lengthMax }).filter((text) => !text.includes('\u0000'));

/** One to three versions as rotations leave them: the newest active, one perhaps in grace, the rest retired. */
const versions: fc.Arbitrary<readonly VersionFact[]> = fc
  .record({
    first: fc.integer({ min: 1, max: 1_000_000 }),
    fingerprints: fc.array(uuids, { minLength: 1, maxLength: 3 }),
    mintedAtMs: times,
    retiresAtMs: times,
    grace: fc.boolean(),
  })
  .map(({ first, fingerprints, mintedAtMs, retiresAtMs, grace }) =>
    fingerprints.map((fingerprint, at) => {
      const older = fingerprints.length - 1 - at;
      const state = older === 0 ? 'active' : older === 1 && grace ? 'grace' : 'retired';
      return {
        number: first + at,
        fingerprint,
        state,
        mintedAtMs,
        retiresAtMs: older === 0 ? null : retiresAtMs,
      };
    }),
  );

/** Absent for most keys. */
const traits: fc.Arbitrary<KeyTraitsFact> = fc.record(
  {
    renewAfterMs: times,
    parentId: keyIds,
    enrollment: fc.constant(true as const),
    proofs: fc
      .record({
        version: fc.integer({ min: 1, max: 1_000_000 }),
        material: fc.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      })
      .map((proof) => [{ ...proof, algorithm: 'ed25519' as const }]),
  },
  { requiredKeys: [] },
);

const plainKeyFacts = fc.record({
  id: keyIds,
  revision: revisions,
  keyspaceId: keyspaceIds,
  ownerId: ownerIds,
  scopes: scopeLists.map(normaliseScopes),
  state: fc.constantFrom('active', 'suspended', 'revoked'),
  notBeforeMs: timesOrNull,
  expiresAtMs: timesOrNull,
  versions,
});

export const keyFacts: fc.Arbitrary<KeyFact> = fc
  .tuple(plainKeyFacts, fc.option(traits, { nil: undefined, freq: 3 }))
  .map(([fact, has]) =>
    has === undefined || Object.keys(has).length === 0 ? fact : { ...fact, traits: has },
  );

export const ownerFacts: fc.Arbitrary<OwnerFact> = fc.record({
  id: ownerIds,
  revision: revisions,
  kind: fc.constantFrom('service', 'integration', 'user'),
  externalId: texts(40),
  state: fc.constantFrom('active', 'suspended'),
  keysNotBeforeMs: timesOrNull,
});

const plainKeyspaceFacts: fc.Arbitrary<KeyspaceFact> = fc.record({
  id: keyspaceIds,
  workspaceId: workspaceIds,
  revision: revisions,
  name: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/),
  state: fc.constantFrom('active', 'suspended'),
  leaseMs: fc.integer({ min: 1000, max: 600_000 }),
  keysNotBeforeMs: timesOrNull,
});

export const keyspaceFacts: fc.Arbitrary<KeyspaceFact> = fc
  .tuple(plainKeyspaceFacts, fc.boolean())
  .map(([fact, signed]) => (signed ? { ...fact, proof: 'signature' } : fact));

export const signingKeyFacts: fc.Arbitrary<SigningKeyFact> = fc
  .record({
    id: keyIds.map((id) => idFromUuidBytes('sk', uuidBytesOf(id))),
    workspaceId: workspaceIds,
    revision: revisions,
    algorithm: fc.constantFrom(...signingAlgorithms),
    issuer: texts(40),
    state: fc.constantFrom(...signingKeyStates),
    notBeforeMs: timesOrNull,
  })
  .map((fact) => ({ ...fact, publicKey: new Uint8Array(publicKeyBytesOf(fact.algorithm)).fill(7) }));

const eventData = fc.dictionary(
  fc.stringMatching(/^[a-z_]{1,10}$/),
  fc.oneof(texts(20), fc.integer(), fc.boolean(), fc.constant(null), fc.array(texts(10), { maxLength: 4 })),
  { maxKeys: 5, noNullPrototype: true },
);

/** A row that agrees with itself: the facts that belong to its event, about the same things. */
export const feedRows: fc.Arbitrary<FeedRow> = fc
  .record({
    epoch: fc.nat(),
    shard: fc.nat(255),
    seq: revisions,
    type: fc.constantFrom(...eventTypes),
    atMs: times,
    key: keyFacts,
    owner: ownerFacts,
    keyspace: keyspaceFacts,
    signingKey: signingKeyFacts,
    data: eventData,
  })
  .map(({ key, owner, keyspace, signingKey, ...rest }) => {
    const row = { ...rest, workspaceId: keyspace.workspaceId };
    if (rest.type.startsWith('owner.'))
      return { ...row, subject: owner.id, key: null, owner, keyspace: null };
    if (rest.type.startsWith('keyspace.'))
      return { ...row, subject: keyspace.id, key: null, owner: null, keyspace };
    const kind = documentKindOfEvent(rest.type);
    if (kind !== undefined) {
      const subject = idFromUuidBytes(kind, uuidBytesOf(key.id));
      const none = { key: null, owner: null, keyspace: null };
      if (kind !== 'sk') return { ...row, subject, ...none };
      const { workspaceId } = row;
      return { ...row, subject: signingKey.id, ...none, signingKey: { ...signingKey, workspaceId } };
    }
    return {
      ...row,
      subject: key.id,
      key: { ...key, ownerId: owner.id, keyspaceId: keyspace.id },
      owner,
      keyspace,
    };
  });

function documentKindOfEvent(type: EventType): 'camp' | 'appr' | 'wh' | 'sk' | undefined {
  if (type.startsWith('campaign.')) return 'camp';
  if (type.startsWith('approval.')) return 'appr';
  if (type.startsWith('webhook.')) return 'wh';
  return type.startsWith('signing_key.') ? 'sk' : undefined;
}
