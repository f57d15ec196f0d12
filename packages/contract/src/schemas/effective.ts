import Type, { type Static } from 'typebox';
import { listOf, strictObject, timeField } from './fields.ts';

/* The second ack: a change that takes a right away is durable once it is answered, and effective once everybody knows. */

export const waitQuery = strictObject({
  wait: Type.Optional(
    Type.Enum(['effective'], {
      type: 'string',
      description:
        '`effective`: answer only when every verifier that may still go by the old state has said that it knows, or at `effective_by`. The change is durable in either case, also if the client goes away meanwhile.',
    }),
  ),
});

export const laggard = strictObject(
  {
    id: Type.String(),
    name: Type.String(),
    lease_age_ms: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Age of its lease; absent where it said that it has none.' }),
    ),
  },
  { title: 'Laggard' },
);

export const effectiveField = strictObject(
  {
    at: timeField,
    verifiers: Type.Integer({ minimum: 0, description: 'How many were asked about, this server included.' }),
    laggards: listOf(laggard, {
      description:
        'Those that had not said so by `at`, which is `effective_by` then: their leases have run out.',
    }),
  },
  {
    title: 'Effective',
    description:
      'Present when it was waited for. Absent in spite of `wait` where too many wait already: go by `effective_by`.',
  },
);

export type Effective = Static<typeof effectiveField>;
