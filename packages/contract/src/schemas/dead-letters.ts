import Type, { type Static } from 'typebox';
import { cursorField, deadLetterIdField, listOf, nullable, strictObject, timeField } from './fields.ts';

/* What was given up: events that a consumer would not take, stretches of the feed that were lost, jobs that failed. */

const state = (text: string) => Type.Literal(text);

export const deadLetterReply = strictObject(
  {
    id: deadLetterIdField,
    kind: Type.Enum(['event', 'range', 'job'], {
      type: 'string',
      description:
        '`event`: not taken at any attempt. `range`: gone from the feed before its turn came. `job`: failed at every attempt.',
    }),
    source: Type.String({ description: "The webhook's id, or the name of the job." }),
    body: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      additionalProperties: true,
      description: 'The event as it was sent, the stretch that was lost, or the data of the job.',
    }),
    reason: Type.String(),
    attempts: Type.Integer({ minimum: 0 }),
    died_at: timeField,
  },
  { title: 'DeadLetter' },
);

export const deadLetterList = strictObject(
  { items: listOf(deadLetterReply), next_cursor: nullable<string>(cursorField) },
  { title: 'DeadLetterList' },
);

export const deadLetterReplayed = strictObject(
  { id: deadLetterIdField, state: state('queued') },
  {
    title: 'DeadLetterReplayed',
    description: 'It is done as a job, and gone from the list when it has been.',
  },
);

export const deadLetterDiscarded = strictObject(
  { id: deadLetterIdField, state: state('discarded') },
  { title: 'DeadLetterDiscarded' },
);

export const deadLetterParams = strictObject({ id: deadLetterIdField });

export type DeadLetterReply = Static<typeof deadLetterReply>;
