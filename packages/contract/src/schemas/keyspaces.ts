import {
  derivedTtlDefaultSeconds,
  derivedTtlSecondsMax,
  inUseWindowSecondsDefault,
  inUseWindowSecondsMax,
  inUseWindowSecondsMin,
  leaseDefaultSeconds,
  leaseSecondsMax,
  leaseSecondsMin,
  maxGraceDefaultSeconds,
  maxGraceSecondsMax,
  rotateAfterSecondsMax,
  rotateAfterSecondsMin,
  scopesPerKeyspaceMax,
  settleSecondsMax,
} from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import { prefixTextLengthMax } from '../wire-limits.ts';
import { effectiveField } from './effective.ts';
import {
  cursorField,
  durationSecondsField,
  effectiveByField,
  keyspaceIdField,
  keyspaceNameField,
  keyspaceRefField,
  limitField,
  line,
  listOf,
  nullable,
  nullableTimeField,
  scopeField,
  seqField,
  strictObject,
  timeField,
} from './fields.ts';
import { proofRuleField } from './proof.ts';

/* A keyspace: a family of keys for one access point, with its policy. */

const allowedScopes = listOf(scopeField, {
  maxItems: scopesPerKeyspaceMax,
  description: "Every scope of this keyspace's keys must be covered by one of these.",
});
const leaseSeconds = Type.Integer({
  minimum: leaseSecondsMin,
  maximum: leaseSecondsMax,
  description: `The dial between security and availability: how long a verifier that is cut off may go on accepting. ${leaseDefaultSeconds} unless given.`,
});
const defaultTtl = durationSecondsField('Life of a key that is issued without one.');
const maxTtl = durationSecondsField('Longest life of a key; null: keys may live for ever.');
const maxGrace = Type.Integer({
  minimum: 0,
  maximum: maxGraceSecondsMax,
  description: `Longest time for which the old version goes on working after a rotation. ${maxGraceDefaultSeconds} unless given.`,
});
const rotateAfter = Type.Integer({
  minimum: rotateAfterSecondsMin,
  maximum: rotateAfterSecondsMax,
  description: 'A secret that is older is due: its holder is asked to renew it. Null: nobody is asked.',
});
const settle = Type.Integer({
  minimum: 0,
  maximum: settleSecondsMax,
  description:
    'How long after the first use of a new version the old one is retired, if it has been silent. Null: at the end of its grace.',
});
const inUseWindow = Type.Integer({
  minimum: inUseWindowSecondsMin,
  maximum: inUseWindowSecondsMax,
  description: `An old version that was used within it counts as in use: finishing the rotation is refused. ${inUseWindowSecondsDefault} unless given.`,
});
const rotationRules = strictObject({
  rotate_after_seconds: Type.Optional(nullable<number>(rotateAfter)),
  settle_seconds: Type.Optional(nullable<number>(settle)),
  in_use_window_seconds: Type.Optional(inUseWindow),
});
const approvalRules = strictObject({
  scopes: listOf(scopeField, {
    maxItems: scopesPerKeyspaceMax,
    description:
      'Issuing a key with a scope that one of these covers needs a second manager. Empty: nothing does.',
  }),
});
const tokenAlgorithm = Type.Enum(['EdDSA', 'ES256'], {
  type: 'string',
  description: 'What tokens are signed with. EdDSA unless given.',
});
const derivedTtl = Type.Integer({
  minimum: 1,
  maximum: derivedTtlSecondsMax,
  description: `The longest life of a token that is derived of a key. ${derivedTtlDefaultSeconds} unless given.`,
});
const tokenRules = strictObject({
  algorithm: Type.Optional(tokenAlgorithm),
  derived_ttl_seconds: Type.Optional(derivedTtl),
});
const rulesPatch = {
  proof: Type.Optional(proofRuleField),
  token: Type.Optional(tokenRules),
  rotation: Type.Optional(rotationRules),
  approval: Type.Optional(approvalRules),
};
const format = Type.Enum(['opaque', 'jwt'], {
  type: 'string',
  description:
    'What a key is: a random string, or a signed token that others can verify by `/.well-known/jwks.json`. For good; `opaque` unless given. Tokens need a `max_ttl_seconds`.',
});
const state = Type.Enum(['active', 'suspended'], { type: 'string' });

export const keyspaceCreate = strictObject(
  {
    name: keyspaceNameField,
    prefix: line(
      prefixTextLengthMax,
      'What its key strings begin with: `[a-z][a-z0-9]*(_[a-z0-9]+)*`, at most 24.',
    ),
    format: Type.Optional(format),
    allowed_scopes: allowedScopes,
    default_ttl_seconds: Type.Optional(defaultTtl),
    max_ttl_seconds: Type.Optional(maxTtl),
    max_grace_seconds: Type.Optional(maxGrace),
    lease_seconds: Type.Optional(leaseSeconds),
    ...rulesPatch,
  },
  { title: 'KeyspaceCreate' },
);

/** Name, prefix and format are for good: verifiers and secret scanners know them. */
export const keyspaceUpdate = strictObject(
  {
    allowed_scopes: Type.Optional(allowedScopes),
    default_ttl_seconds: Type.Optional(nullable<number>(defaultTtl)),
    max_ttl_seconds: Type.Optional(nullable<number>(maxTtl)),
    max_grace_seconds: Type.Optional(maxGrace),
    lease_seconds: Type.Optional(leaseSeconds),
    ...rulesPatch,
  },
  { title: 'KeyspaceUpdate', minProperties: 1 },
);

export const keyspaceReply = strictObject(
  {
    id: keyspaceIdField,
    name: keyspaceNameField,
    prefix: Type.String(),
    format,
    allowed_scopes: allowedScopes,
    default_ttl_seconds: nullable<number>(defaultTtl),
    max_ttl_seconds: nullable<number>(maxTtl),
    max_grace_seconds: maxGrace,
    lease_seconds: leaseSeconds,
    proof: proofRuleField,
    token: strictObject({
      algorithm: tokenAlgorithm,
      derived_ttl_seconds: derivedTtl,
    }),
    rotation: strictObject({
      rotate_after_seconds: nullable<number>(rotateAfter),
      settle_seconds: nullable<number>(settle),
      in_use_window_seconds: inUseWindow,
    }),
    approval: approvalRules,
    state,
    keys_not_before: nullableTimeField,
    created_at: timeField,
    revision: Type.Integer({ minimum: 1 }),
  },
  { title: 'Keyspace' },
);

export type RotationRulesBody = Static<typeof rotationRules>;
export type ApprovalRulesBody = Static<typeof approvalRules>;

/** What a keyspace is after it was made or changed. */
export const keyspaceChanged = strictObject(
  { ...keyspaceReply.properties, seq: seqField },
  { title: 'KeyspaceChanged' },
);

export const keyspaceList = strictObject(
  { items: listOf(keyspaceReply), next_cursor: nullable<string>(cursorField) },
  { title: 'KeyspaceList' },
);

export const keyspaceSuspended = strictObject(
  {
    id: keyspaceIdField,
    state: Type.Literal('suspended'),
    effective_by: effectiveByField,
    seq: seqField,
    effective: Type.Optional(effectiveField),
  },
  { title: 'KeyspaceSuspended' },
);

export const keyspaceResumed = strictObject(
  { id: keyspaceIdField, state: Type.Literal('active'), seq: seqField },
  { title: 'KeyspaceResumed' },
);

export const keyspaceKeysRevoked = strictObject(
  {
    id: keyspaceIdField,
    keys_not_before: timeField,
    effective_by: effectiveByField,
    seq: seqField,
    effective: Type.Optional(effectiveField),
  },
  {
    title: 'KeyspaceKeysRevoked',
    description: 'Every version minted at or before `keys_not_before` is refused.',
  },
);

/** The path parameter of a keyspace: id or name. */
export const keyspaceParams = strictObject({ id: keyspaceRefField });
export const pageQuery = strictObject({
  cursor: Type.Optional(cursorField),
  limit: Type.Optional(limitField),
});

export type KeyspaceCreate = Static<typeof keyspaceCreate>;
export type KeyspaceUpdate = Static<typeof keyspaceUpdate>;
export type KeyspaceReply = Static<typeof keyspaceReply>;
export type KeyspaceChanged = Static<typeof keyspaceChanged>;
export type KeyspaceSuspended = Static<typeof keyspaceSuspended>;
export type KeyspaceResumed = Static<typeof keyspaceResumed>;
export type KeyspaceKeysRevoked = Static<typeof keyspaceKeysRevoked>;
