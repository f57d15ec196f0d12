import Type, { type Static } from 'typebox';
import { claimsField, ownerRule, usesField } from './enrollment-terms.ts';
import {
  durationSecondsField,
  keyspaceRefField,
  metadataField,
  nameField,
  scopesField,
  strictObject,
  timeField,
} from './fields.ts';
import { keyIssued } from './keys.ts';
import { ownerRef } from './owners.ts';

/* Enrollment keys: what makes one, and what exchanges it for a lasting key. */

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
    claims: Type.Optional(claimsField),
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

export type EnrollmentCreate = Static<typeof enrollmentCreate>;
export type EnrollmentCreated = Static<typeof enrollmentCreated>;
export type KeyEnroll = Static<typeof keyEnroll>;
