import { graceDefaultSeconds, maxGraceSecondsMax, reasonLengthMax } from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import { bulkReply, bulkRequest } from './bulk.ts';
import { effectiveField } from './effective.ts';
import { enrollmentReply } from './enrollment-terms.ts';
import {
  cursorField,
  durationSecondsField,
  effectiveByField,
  keyIdField,
  keyspaceIdField,
  keyspaceRefField,
  limitField,
  line,
  listOf,
  metadataField,
  nameField,
  nullable,
  nullableTimeField,
  ownerIdField,
  scopesField,
  secretField,
  seqField,
  strictObject,
  timeField,
} from './fields.ts';
import { ownerRef } from './owners.ts';
import { proofField, proofReply } from './proof.ts';

/* Issue, read, update, rotate, revoke, suspend. Verification and import have files of their own. */

export const keyStates = ['pending', 'active', 'suspended', 'revoked', 'expired'] as const;
export const keyStateField = Type.Enum([...keyStates], { type: 'string' });
const versionNumber = Type.Integer({ minimum: 1 });

/** What issue and import have in common. At most one of `ttl_seconds` and `expires_at`: the core says `expiry_conflict`. */
export const keyTerms = {
  keyspace: keyspaceRefField,
  owner: ownerRef,
  name: Type.Optional(nameField),
  scopes: scopesField,
  ttl_seconds: Type.Optional(durationSecondsField('Life from now on. At most one of it and `expires_at`.')),
  expires_at: Type.Optional(timeField),
  not_before: Type.Optional(timeField),
  metadata: Type.Optional(metadataField),
};

export const keyIssue = strictObject(
  { ...keyTerms, proof: Type.Optional(proofField) },
  { title: 'KeyIssue' },
);
export const keyIssueBulk = bulkRequest('KeyIssueBulk', keyIssue);

export const keyIssued = strictObject(
  {
    id: keyIdField,
    version: versionNumber,
    secret: Type.Optional(secretField),
    owner_id: ownerIdField,
    keyspace_id: keyspaceIdField,
    scopes: scopesField,
    expires_at: nullableTimeField,
    created_at: timeField,
    seq: seqField,
  },
  { title: 'KeyIssued' },
);
export const keyIssuedBulk = bulkReply<Static<typeof keyIssued>>('KeyIssuedBulk', keyIssued);

export const keyVersionReply = strictObject(
  {
    version: versionNumber,
    state: Type.Enum(['active', 'grace', 'retired'], { type: 'string' }),
    minted_at: timeField,
    retires_at: nullableTimeField,
    proof: Type.Optional(proofReply),
  },
  { title: 'KeyVersion' },
);

export const keyReply = strictObject(
  {
    id: keyIdField,
    name: nameField,
    state: keyStateField,
    refused_because: Type.Optional(
      Type.Enum(['owner_suspended', 'keyspace_suspended'], {
        type: 'string',
        description:
          'Present where the key itself is active or pending, and is refused all the same until its owner or keyspace is resumed.',
      }),
    ),
    keyspace_id: keyspaceIdField,
    owner_id: ownerIdField,
    scopes: scopesField,
    metadata: metadataField,
    not_before: nullableTimeField,
    expires_at: nullableTimeField,
    created_at: timeField,
    revoked_at: nullableTimeField,
    revoke_reason: nullable<string>(Type.String()),
    revision: Type.Integer({ minimum: 1 }),
    versions: listOf(keyVersionReply, { description: 'The newest three, oldest first.' }),
    renew_after: Type.Optional(
      Type.String({
        ...timeField,
        description: 'Present where its holder was asked to renew it from then on.',
      }),
    ),
    parent_id: Type.Optional(
      Type.String({ ...keyIdField, description: 'Present where it is refused while that key is.' }),
    ),
    enrolled_with: Type.Optional(
      Type.String({ ...keyIdField, description: 'Present where it was given for that enrollment key.' }),
    ),
    enrollment: Type.Optional(enrollmentReply),
  },
  { title: 'Key' },
);

export const keyUpdated = strictObject({ ...keyReply.properties, seq: seqField }, { title: 'KeyUpdated' });

export const keyList = strictObject(
  { items: listOf(keyReply), next_cursor: nullable<string>(cursorField) },
  { title: 'KeyList' },
);

export const keyUpdate = strictObject(
  {
    name: Type.Optional(nameField),
    scopes: Type.Optional(scopesField),
    metadata: Type.Optional(metadataField),
    expires_at: Type.Optional(nullableTimeField),
    if_revision: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Refused with `revision_mismatch` if the key has moved on.' }),
    ),
  },
  { title: 'KeyUpdate', minProperties: 1 },
);

export const keyRotate = strictObject(
  {
    grace_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: maxGraceSecondsMax,
        description: `How long the old version goes on working. ${graceDefaultSeconds} unless given, or the maximum of the keyspace.`,
      }),
    ),
    cut: Type.Optional(
      Type.Boolean({ description: 'End a version that is still in grace, so that this rotation can begin.' }),
    ),
    proof: Type.Optional(proofField),
  },
  { title: 'KeyRotate' },
);

export const keyRotated = strictObject(
  {
    id: keyIdField,
    version: versionNumber,
    secret: Type.Optional(secretField),
    previous: strictObject({
      version: versionNumber,
      retires_at: timeField,
      /** Later than `retires_at` when the grace is shorter than the lease. */
      effective_by: effectiveByField,
    }),
    expires_at: nullableTimeField,
    seq: seqField,
  },
  { title: 'KeyRotated' },
);

export const rotationFinish = strictObject(
  {
    force: Type.Optional(Type.Boolean({ description: 'Retire the old version even if it is still in use.' })),
  },
  { title: 'RotationFinish' },
);

export const rotationFinished = strictObject(
  {
    id: keyIdField,
    version: versionNumber,
    retired: strictObject({ version: versionNumber, retired_at: timeField }),
    effective_by: effectiveByField,
    seq: seqField,
  },
  { title: 'RotationFinished' },
);

export const keyRevoke = strictObject(
  { reason: Type.Optional(line(reasonLengthMax, 'Why, for the audit record and the event.')) },
  { title: 'KeyRevoke' },
);

export const keyRevoked = strictObject(
  {
    id: keyIdField,
    state: Type.Literal('revoked'),
    revoked_at: timeField,
    effective_by: effectiveByField,
    seq: seqField,
    effective: Type.Optional(effectiveField),
  },
  { title: 'KeyRevoked' },
);

export const keySuspended = strictObject(
  {
    id: keyIdField,
    state: Type.Literal('suspended'),
    effective_by: effectiveByField,
    seq: seqField,
    effective: Type.Optional(effectiveField),
  },
  { title: 'KeySuspended' },
);

export const keyResumed = strictObject(
  { id: keyIdField, state: keyStateField, seq: seqField },
  { title: 'KeyResumed' },
);

export const keyParams = strictObject({ id: keyIdField });
export const keysQuery = strictObject({
  keyspace: Type.Optional(keyspaceRefField),
  owner: Type.Optional(ownerIdField),
  parent: Type.Optional(
    Type.String({ ...keyIdField, description: 'Only what was given for this enrollment key.' }),
  ),
  state: Type.Optional(keyStateField),
  cursor: Type.Optional(cursorField),
  limit: Type.Optional(limitField),
});

export type KeyIssue = Static<typeof keyIssue>;
export type KeyIssued = Static<typeof keyIssued>;
export type KeyIssuedBulk = Static<typeof keyIssuedBulk>;
export type KeyReply = Static<typeof keyReply>;
export type KeyUpdated = Static<typeof keyUpdated>;
export type KeyUpdate = Static<typeof keyUpdate>;
export type KeyRotate = Static<typeof keyRotate>;
export type KeyRotated = Static<typeof keyRotated>;
export type RotationFinish = Static<typeof rotationFinish>;
export type RotationFinished = Static<typeof rotationFinished>;
export type KeyRevoke = Static<typeof keyRevoke>;
export type KeyRevoked = Static<typeof keyRevoked>;
export type KeySuspended = Static<typeof keySuspended>;
export type KeyResumed = Static<typeof keyResumed>;
