import {
  enrollmentUsesMax,
  externalIdLengthMax,
  metadataEntriesMax,
  metadataKeyLengthMax,
} from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import {
  durationSecondsField,
  keyspaceRefField,
  line,
  listOf,
  metadataField,
  nameField,
  scopesField,
  strictObject,
  timeField,
} from './fields.ts';
import { keyIssued } from './keys.ts';
import { ownerKindField, ownerRef } from './owners.ts';

/* Enrollment keys: what makes one, and what exchanges it for a lasting key. */

const usesField = Type.Integer({
  minimum: 1,
  maximum: enrollmentUsesMax,
  description: 'How often it can be exchanged.',
});

export const ownerRule = strictObject(
  {
    kinds: listOf(ownerKindField, { minItems: 1, maxItems: 3, uniqueItems: true }),
    external_id_prefix: Type.Optional(
      Type.String({
        maxLength: externalIdLengthMax - 1,
        description: 'What the external id has to begin with, and go on after.',
      }),
    ),
  },
  { title: 'OwnerRule', description: 'Whoever exchanges the key names the owner, within this rule.' },
);

export const enrollmentCreate = strictObject(
  {
    keyspace: keyspaceRefField,
    name: Type.Optional(nameField),
    uses: usesField,
    ttl_seconds: Type.Optional(
      durationSecondsField('Life of the enrollment key itself. At most one of it and `expires_at`.'),
    ),
    expires_at: Type.Optional(timeField),
    owner: Type.Optional(ownerRef),
    owner_rule: Type.Optional(ownerRule),
    scopes: scopesField,
    key_ttl_seconds: Type.Optional(
      durationSecondsField('Life of each key that is made; as the keyspace has it unless given.'),
    ),
    metadata: Type.Optional(metadataField),
    claims: Type.Optional(
      listOf(line(metadataKeyLengthMax, 'Name of an entry of the metadata.'), {
        maxItems: metadataEntriesMax,
        description:
          'What whoever exchanges the key may say of itself, kept as metadata. Nothing unless given.',
      }),
    ),
    cascade: Type.Optional(
      Type.Boolean({
        description:
          'Whether what was made with it is refused once it is revoked or suspended. It is not, unless this is true.',
      }),
    ),
  },
  {
    title: 'EnrollmentCreate',
    description: 'With one of `owner`, who will hold every key, and `owner_rule`.',
  },
);

export const enrollmentCreated = strictObject(
  { ...keyIssued.properties, uses: usesField, cascade: Type.Boolean() },
  { title: 'EnrollmentCreated' },
);

export const keyEnroll = strictObject(
  {
    owner: Type.Optional(ownerRef),
    name: Type.Optional(nameField),
    scopes: Type.Optional(scopesField),
    claims: Type.Optional(metadataField),
  },
  { title: 'KeyEnroll' },
);

/** Of an enrollment key, in the reply that shows a key. */
export const enrollmentReply = strictObject(
  {
    uses_left: Type.Integer({ minimum: 0 }),
    uses: usesField,
    owner_rule: Type.Optional(ownerRule),
    key_ttl_seconds: Type.Optional(durationSecondsField('Life of each key that is made.')),
    claims: listOf(line(metadataKeyLengthMax, 'Name of an entry of the metadata.')),
    cascade: Type.Boolean(),
  },
  { title: 'Enrollment', description: 'Present where the key can only be exchanged.' },
);

export type EnrollmentCreate = Static<typeof enrollmentCreate>;
export type EnrollmentCreated = Static<typeof enrollmentCreated>;
export type KeyEnroll = Static<typeof keyEnroll>;
export type EnrollmentReply = Static<typeof enrollmentReply>;
