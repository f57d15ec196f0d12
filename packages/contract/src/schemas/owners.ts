import Type, { type Static } from 'typebox';
import { effectiveField } from './effective.ts';
import {
  cursorField,
  effectiveByField,
  externalIdField,
  limitField,
  listOf,
  nullable,
  nullableTimeField,
  ownerIdField,
  seqField,
  strictObject,
  timeField,
} from './fields.ts';

/* An owner: who holds a key. Suspending an owner refuses all its keys at once, by one event. */

export const ownerKindField = Type.Enum(['service', 'integration', 'user'], { type: 'string' });

/** How an owner is named by those who don't know its id. */
export const ownerRef = strictObject(
  { kind: ownerKindField, external_id: externalIdField },
  { title: 'OwnerRef', 'x-expected': 'an object such as {"kind": "service", "external_id": "billing"}' },
);

export const ownerReply = strictObject(
  {
    id: ownerIdField,
    kind: ownerKindField,
    external_id: externalIdField,
    state: Type.Enum(['active', 'suspended'], { type: 'string' }),
    keys_not_before: nullableTimeField,
    created_at: timeField,
    revision: Type.Integer({ minimum: 1 }),
  },
  { title: 'Owner' },
);

export const ownerCreated = strictObject(
  { ...ownerReply.properties, seq: seqField },
  { title: 'OwnerCreated' },
);

export const ownerList = strictObject(
  { items: listOf(ownerReply), next_cursor: nullable<string>(cursorField) },
  { title: 'OwnerList' },
);

export const ownerSuspended = strictObject(
  {
    id: ownerIdField,
    state: Type.Literal('suspended'),
    effective_by: effectiveByField,
    seq: seqField,
    effective: Type.Optional(effectiveField),
  },
  { title: 'OwnerSuspended' },
);

export const ownerResumed = strictObject(
  { id: ownerIdField, state: Type.Literal('active'), seq: seqField },
  { title: 'OwnerResumed' },
);

export const ownerKeysRevoked = strictObject(
  {
    id: ownerIdField,
    keys_not_before: timeField,
    effective_by: effectiveByField,
    seq: seqField,
    effective: Type.Optional(effectiveField),
  },
  {
    title: 'OwnerKeysRevoked',
    description: 'Every version minted at or before `keys_not_before` is refused.',
  },
);

export const ownerParams = strictObject({ id: ownerIdField });
export const ownersQuery = strictObject({
  kind: Type.Optional(ownerKindField),
  external_id: Type.Optional(externalIdField),
  cursor: Type.Optional(cursorField),
  limit: Type.Optional(limitField),
});

export type OwnerRef = Static<typeof ownerRef>;
export type OwnerReply = Static<typeof ownerReply>;
export type OwnerCreated = Static<typeof ownerCreated>;
export type OwnerSuspended = Static<typeof ownerSuspended>;
export type OwnerResumed = Static<typeof ownerResumed>;
export type OwnerKeysRevoked = Static<typeof ownerKeysRevoked>;
