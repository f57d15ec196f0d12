import { type EventType, eventTypes } from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import { cursorField, limitField, listOf, strictObject, timeField } from './fields.ts';

/* Events are CloudEvents 1.0 in their JSON form; the cursor names a place in every shard of the feed. */

const oneType = `(?:${eventTypes.map((type) => type.replace('.', '\\.')).join('|')})`;

export const eventsQuery = strictObject({
  after: Type.Optional(cursorField),
  from: Type.Optional(
    Type.Enum(['end', 'recent'], {
      type: 'string',
      description:
        'Where to begin without `after`: `end`, with what happens next; `recent`, about a page before that. Absent: with the oldest that is kept.',
    }),
  ),
  limit: Type.Optional(limitField),
  types: Type.Optional(
    Type.String({
      pattern: `^${oneType}(?:,${oneType}){0,${eventTypes.length - 1}}$`,
      maxLength: 1024,
      'x-expected': 'types of events, separated by commas, such as key.issued,key.revoked',
      description: 'Only these, separated by commas: `key.issued,key.revoked`.',
      'x-parameter': {
        style: 'form',
        explode: false,
        schema: {
          type: 'array',
          items: { type: 'string', enum: [...eventTypes] },
          maxItems: eventTypes.length,
        },
      },
    }),
  ),
});

export const cloudEvent = strictObject(
  {
    specversion: Type.Literal('1.0'),
    id: Type.String({ description: 'Unique with `source`; the same on every delivery of the event.' }),
    source: Type.String(),
    type: Type.Unsafe<`dev.keyswarm.${EventType}`>({
      type: 'string',
      enum: eventTypes.map((type) => `dev.keyswarm.${type}`),
    }),
    subject: Type.String({ description: 'Id of what changed: a key, an owner, a keyspace, a campaign …' }),
    time: timeField,
    datacontenttype: Type.Literal('application/json'),
    data: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      additionalProperties: true,
      description: 'Public details of the event: never a secret.',
    }),
  },
  { title: 'Event' },
);

export const eventList = strictObject(
  {
    items: listOf(cloudEvent),
    next_cursor: Type.String({
      ...cursorField,
      description: 'Where to go on from, also when nothing came: ask again with it for what happens next.',
    }),
  },
  { title: 'EventList' },
);

export type CloudEvent = Static<typeof cloudEvent>;
export type EventList = Static<typeof eventList>;
