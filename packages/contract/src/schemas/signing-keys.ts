import Type, { type Static } from 'typebox';
import {
  effectiveByField,
  idText,
  listOf,
  nullableTimeField,
  seqField,
  strictObject,
  timeField,
} from './fields.ts';

/* The keys that tokens are signed with. What is private of them is in no message. */

const signingKeyIdField = Type.String({
  ...idText('sk'),
  maxLength: 29,
  description: 'Id of a signing key: `kid` of what it signs.',
});
const algorithm = Type.Enum(['EdDSA', 'ES256'], { type: 'string', description: 'What it signs with.' });

export const signingKeyReply = strictObject(
  {
    id: signingKeyIdField,
    algorithm,
    issuer: Type.String({ description: '`iss` of what it signs.' }),
    state: Type.Enum(['published', 'active', 'retired', 'removed'], { type: 'string' }),
    not_before: nullableTimeField,
    published_at: timeField,
    activated_at: nullableTimeField,
    retired_at: nullableTimeField,
    removed_at: nullableTimeField,
  },
  { title: 'SigningKey' },
);

export const signingKeyList = strictObject({ items: listOf(signingKeyReply) }, { title: 'SigningKeyList' });

export const signingKeyRotate = strictObject({ algorithm }, { title: 'SigningKeyRotate' });

export const signingKeyParams = strictObject({ id: signingKeyIdField });

/** What a signing key is after it was changed. */
export const signingKeyChanged = strictObject(
  { ...signingKeyReply.properties, seq: seqField },
  { title: 'SigningKeyChanged' },
);

export const signingKeyRevoked = strictObject(
  { ...signingKeyReply.properties, seq: seqField, effective_by: effectiveByField },
  { title: 'SigningKeyRevoked' },
);

export type SigningKeyReply = Static<typeof signingKeyReply>;
export type SigningKeyChanged = Static<typeof signingKeyChanged>;
export type SigningKeyRevoked = Static<typeof signingKeyRevoked>;
