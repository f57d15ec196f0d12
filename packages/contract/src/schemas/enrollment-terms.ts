import {
  enrollmentUsesMax,
  externalIdLengthMax,
  metadataEntriesMax,
  metadataKeyLengthMax,
} from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import { durationSecondsField, line, listOf, strictObject } from './fields.ts';
import { ownerKindField } from './owners.ts';

/* What an enrollment key is besides a key, as it is asked for and as it is shown. */

export const usesField = Type.Integer({
  minimum: 1,
  maximum: enrollmentUsesMax,
  description: 'How often it can be exchanged.',
});

export const ownerRule = strictObject(
  {
    kinds: listOf(ownerKindField, { minItems: 1, maxItems: 3, uniqueItems: true }),
    external_id_prefix: Type.Optional(
      line(
        externalIdLengthMax - 1,
        'What the external id has to begin with, and go on after. Anything unless given.',
      ),
    ),
  },
  { title: 'OwnerRule', description: 'Whoever exchanges the key names the owner, within this rule.' },
);

export const claimsField = listOf(line(metadataKeyLengthMax, 'Name of an entry of the metadata.'), {
  maxItems: metadataEntriesMax,
  description: 'What whoever exchanges the key may say of itself, kept as metadata. Nothing unless given.',
});

/** Of an enrollment key, in the reply that shows a key. */
export const enrollmentReply = strictObject(
  {
    uses_left: Type.Integer({ minimum: 0 }),
    uses: usesField,
    owner_rule: Type.Optional(ownerRule),
    key_ttl_seconds: Type.Optional(durationSecondsField('Life of each key that is made.')),
    claims: claimsField,
    cascade: Type.Boolean(),
  },
  { title: 'Enrollment', description: 'Present where the key can only be exchanged.' },
);

export type EnrollmentReply = Static<typeof enrollmentReply>;
