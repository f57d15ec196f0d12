import { reasonLengthMax } from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import {
  keyIdField,
  keyspaceIdField,
  keyspaceNameField,
  line,
  nullableTimeField,
  scopesField,
  secretField,
  seqField,
  strictObject,
  timeField,
} from './fields.ts';
import { verdictOwner } from './verify.ts';

/* What the holder of a key may ask about it and do to it, by the key itself. */

const renewAfterField = Type.Unsafe<string | null>({
  ...nullableTimeField,
  description: 'From when on `renew` is accepted. Null: not before somebody asks for it.',
});
const renewByField = Type.Unsafe<string | null>({
  ...nullableTimeField,
  description: 'Draw a moment between `renew_after` and this at random. Nobody is refused for being later.',
});

export const selfReply = strictObject(
  {
    id: keyIdField,
    version: Type.Integer({ minimum: 1, description: 'The version that was presented.' }),
    state: Type.Enum(['active', 'grace'], {
      type: 'string',
      description: '`grace`: a newer version was made, and this one works until `expires_at`.',
    }),
    owner: verdictOwner,
    keyspace_id: keyspaceIdField,
    keyspace: keyspaceNameField,
    scopes: scopesField,
    expires_at: nullableTimeField,
    renew_after: renewAfterField,
    renew_by: renewByField,
  },
  { title: 'Self' },
);

export const selfRenewed = strictObject(
  {
    id: keyIdField,
    version: Type.Integer({ minimum: 1 }),
    secret: secretField,
    previous: strictObject(
      { version: Type.Integer({ minimum: 1 }), retires_at: timeField },
      { description: 'The version before, which goes on working until then.' },
    ),
    scopes: scopesField,
    expires_at: nullableTimeField,
    renew_after: renewAfterField,
    renew_by: renewByField,
    seq: seqField,
  },
  { title: 'SelfRenewed' },
);

export const selfRevoke = strictObject(
  { reason: Type.Optional(line(reasonLengthMax, 'Why, for the audit record and the event.')) },
  { title: 'SelfRevoke' },
);

export type SelfReply = Static<typeof selfReply>;
export type SelfRenewed = Static<typeof selfRenewed>;
export type SelfRevoke = Static<typeof selfRevoke>;
