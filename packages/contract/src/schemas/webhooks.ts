import { type EventType, eventTypes } from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import {
  webhookDescriptionLengthMax,
  webhookOverlapSecondsDefault,
  webhookOverlapSecondsMax,
  webhookUrlLengthMax,
} from '../wire-limits.ts';
import {
  cursorField,
  keyspaceIdField,
  keyspaceRefField,
  line,
  listOf,
  nullable,
  nullableTimeField,
  printable,
  seqField,
  strictObject,
  timeField,
  webhookIdField,
} from './fields.ts';

/* Webhooks: where events are sent, as CloudEvents signed after Standard Webhooks. */

const url = line(
  webhookUrlLengthMax,
  'Where events are sent by POST: https, at a public address. It is shown to whoever may read webhooks.',
);
const description = Type.String({
  maxLength: webhookDescriptionLengthMax,
  ...printable,
  description: 'For people.',
});
const type = Type.Unsafe<EventType>({ type: 'string', enum: [...eventTypes] });
const types = nullable<readonly EventType[]>(
  Type.Array(type, {
    minItems: 1,
    maxItems: eventTypes.length,
    description: 'Only events of these types, such as `key.revoked`. Null: of all.',
  }),
);
const keyspace = nullable<string>(
  Type.String({
    ...keyspaceRefField,
    description: 'Only events of this keyspace and of its keys, by id or by name. Null: of all.',
  }),
);

export const webhookCreate = strictObject(
  {
    url,
    description: Type.Optional(description),
    types: Type.Optional(types),
    keyspace: Type.Optional(keyspace),
  },
  { title: 'WebhookCreate' },
);

export const webhookUpdate = strictObject(
  {
    url: Type.Optional(url),
    description: Type.Optional(description),
    types: Type.Optional(types),
    keyspace: Type.Optional(keyspace),
    state: Type.Optional(
      Type.Enum(['active', 'disabled'], {
        type: 'string',
        description: 'One that was disabled goes on where it stopped.',
      }),
    ),
  },
  { title: 'WebhookUpdate', minProperties: 1 },
);

export const webhookReply = strictObject(
  {
    id: webhookIdField,
    url: Type.String(),
    description: Type.String(),
    types: types,
    keyspace_id: nullable<string>(keyspaceIdField),
    state: Type.Enum(['active', 'disabled'], { type: 'string' }),
    disabled_reason: Type.Unsafe<'request' | 'failing' | 'gone' | null>({
      type: ['string', 'null'],
      enum: ['request', 'failing', 'gone', null],
      description: 'Somebody asked for it, it took nothing for two days, or it answered 410.',
    }),
    delivery: Type.Optional(
      strictObject(
        {
          failing_since: nullableTimeField,
          attempts: Type.Integer({ minimum: 0, description: 'At the event that is to be sent next.' }),
          last_error: nullable<string>(
            Type.String({
              description: 'What came of the last attempt, such as `server_error: status 503`.',
            }),
          ),
          retry_at: nullableTimeField,
          waiting_at_most: Type.Integer({
            minimum: 0,
            description: 'Changes that it has not been told of; those of them that concern it are sent.',
          }),
        },
        {
          description:
            'Present where it is read: how it is served. Nothing fails where `failing_since` is null.',
        },
      ),
    ),
    previous_secret_until: nullableTimeField,
    created_at: timeField,
    updated_at: timeField,
    revision: Type.Integer({ minimum: 1 }),
  },
  { title: 'Webhook' },
);

const secret = Type.String({
  'x-secret': true,
  description: 'What signatures are made with: `whsec_` and base64. Shown once.',
});

export const webhookCreated = strictObject(
  { ...webhookReply.properties, secret, seq: seqField },
  { title: 'WebhookCreated' },
);

export const webhookChanged = strictObject(
  { ...webhookReply.properties, seq: seqField },
  { title: 'WebhookChanged' },
);

export const webhookDeleted = strictObject(
  { id: webhookIdField, seq: seqField },
  { title: 'WebhookDeleted' },
);

export const webhookRotate = strictObject(
  {
    overlap_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: webhookOverlapSecondsMax,
        description: `For how long the secret before this one signs as well. ${webhookOverlapSecondsDefault} unless given.`,
      }),
    ),
  },
  { title: 'WebhookRotate' },
);

export const webhookList = strictObject(
  { items: listOf(webhookReply), next_cursor: nullable<string>(cursorField) },
  { title: 'WebhookList' },
);

export const webhookParams = strictObject({ id: webhookIdField });

export type WebhookReply = Static<typeof webhookReply>;
export type WebhookCreate = Static<typeof webhookCreate>;
export type WebhookUpdate = Static<typeof webhookUpdate>;
