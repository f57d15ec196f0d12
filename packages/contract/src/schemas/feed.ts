import { keyspaceNameLengthMax, shardsMax, timeMsMax } from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import {
  downstreamCountMax,
  downstreamMax,
  feedViewLengthMax,
  reachNamedMax,
  usesPerAskMax,
  verifierNameLengthMax,
  verifiersListedMax,
} from '../wire-limits.ts';
import {
  keyIdField,
  keyspaceIdField,
  line,
  listOf,
  nullable,
  nullableTimeField,
  plainName,
  strictObject,
  timeField,
} from './fields.ts';

/*
 * The feed over HTTP, for verifiers. Lease asks and their answers are JSON; snapshot, rows and stream are frames
 * (`application/vnd.keyswarm.feed`), which packages/verifier/SPEC.md describes.
 */

export const feedMediaType = 'application/vnd.keyswarm.feed';

const wholeNumber = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

const heads = {
  epoch: Type.Integer({ ...wholeNumber, description: 'Changes when the store was restored or failed over.' }),
  seqs: listOf(Type.Integer(wholeNumber), {
    minItems: 1,
    maxItems: shardsMax,
    description: 'The last sequence number of each shard.',
  }),
};

/** How far a verifier is; null before its first snapshot. */
const appliedField = nullable<{ readonly epoch: number; readonly seqs: readonly number[] }>(
  strictObject(heads, {
    description: 'How far it has applied the feed; null before its first snapshot.',
  }) as never,
);

const leaseAgeField = nullable<number>(
  Type.Number({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Age of its lease in ms; null: it has none.',
  }),
);

export const verifierKinds = ['library', 'node', 'relay'] as const;

const identity = {
  id: Type.String({
    pattern: '^[A-Za-z0-9._-]{1,64}$',
    'x-expected': '1 to 64 letters, digits, dots, hyphens and underscores',
    maxLength: 64,
    description: 'Drawn at random by each process at its start: never that of another, nor of its last run.',
  }),
  name: line(verifierNameLengthMax, 'For people: a host, a pod, a service.'),
  region: Type.Optional(line(verifierNameLengthMax, 'Where it is.')),
};

const verifierRef = strictObject({
  ...identity,
  kind: Type.Enum([...verifierKinds], { type: 'string' }),
});

export const leaseAsk = strictObject(
  {
    verifier: verifierRef,
    applied: appliedField,
    lease_age_ms: leaseAgeField,
    fresh: Type.Optional(
      Type.Boolean({ description: 'Answer with heads read from the primary after this ask, or not at all.' }),
    ),
    keyspaces: Type.Optional(
      listOf(
        Type.String({
          minLength: 1,
          maxLength: keyspaceNameLengthMax,
          pattern: '^[a-z0-9][a-z0-9._-]*$',
          'x-expected': `the id of a keyspace or its name: ${plainName}`,
        }),
        {
          minItems: 1,
          maxItems: 256,
          description: 'Only these, by id or by name; absent: all that the management key may read.',
        },
      ),
    ),
    downstream: Type.Optional(
      listOf(
        strictObject({
          ...identity,
          kind: Type.Enum([...verifierKinds], { type: 'string' }),
          applied: appliedField,
          lease_age_ms: leaseAgeField,
          count: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: downstreamCountMax,
              description: 'It stands for so many, at the least of them and with the youngest lease of them.',
            }),
          ),
          reach: Type.Optional(
            strictObject(
              {
                keyspaces: Type.Optional(listOf(keyspaceIdField, { maxItems: reachNamedMax })),
                without: Type.Optional(listOf(keyspaceIdField, { maxItems: reachNamedMax })),
              },
              {
                description:
                  'Of which keyspaces it may accept keys: only those, or all without those; absent: of all.',
              },
            ),
          ),
        }),
        {
          maxItems: downstreamMax,
          description:
            'Of a relay: every verifier that may hold a lease by it, with the least that it may stand at.',
        },
      ),
    ),
    uses: Type.Optional(
      listOf(
        strictObject({
          key_id: keyIdField,
          keyspace_id: keyspaceIdField,
          version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
          at_ms: Type.Number({ minimum: 0, maximum: timeMsMax, description: 'Unix ms.' }),
        }),
        {
          maxItems: usesPerAskMax,
          description:
            'Versions of rotating keys that were accepted: the old one in its grace, the new one for the first time. To be repeated until an answer says `uses_taken`.',
        },
      ),
    ),
  },
  { title: 'LeaseAsk' },
);

export const leaseAnswer = strictObject(
  {
    ...heads,
    age_ms: Type.Number({
      minimum: 0,
      description:
        'How long before the ask, at most, something may have been acknowledged that is not in these heads.',
    }),
    from_primary: Type.Boolean({ description: 'Were the heads read from the primary?' }),
    behind: listOf(Type.Integer({ minimum: 0, maximum: shardsMax - 1 }), {
      description: 'Shards that the relay itself can not bring up to date.',
    }),
    wall: Type.Optional(
      strictObject(
        { earliest_ms: Type.Number(), latest_ms: Type.Number() },
        { description: "Between what the authority's wall clock stood, Unix ms." },
      ),
    ),
    view: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: feedViewLengthMax,
        description:
          'What part of the feed the management key may read now, as a tag: a table that was loaded with another is to be loaded anew.',
      }),
    ),
    uses_taken: Type.Optional(
      Type.Boolean({ description: 'The uses that the ask told were taken; absent: tell them again.' }),
    ),
  },
  { title: 'LeaseAnswer' },
);

const viewParameter = Type.String({
  pattern: `^[A-Za-z0-9_-]{1,${feedViewLengthMax}}$`,
  'x-expected': 'view of the table, as it came',
  maxLength: feedViewLengthMax,
  description:
    'The `view` of the table that they are for: rows that would be chosen for any other are `gone`. Absent: nothing is compared.',
});

const keyspacesParameter = Type.String({
  minLength: 1,
  maxLength: 4096,
  pattern: '^[a-z0-9][a-z0-9._-]{0,63}(?:,[a-z0-9][a-z0-9._-]{0,63}){0,255}$',
  'x-expected': 'at most 256 ids or names of keyspaces, separated by commas',
  description:
    'Only these, by id or by name, separated by commas; absent: all that the management key may read.',
});

const numberParameter = (description: string, minimum = 0) =>
  Type.String({
    pattern: minimum === 0 ? '^(?:0|[1-9]\\d{0,14})$' : '^[1-9]\\d{0,14}$',
    maxLength: 15,
    'x-expected': `a whole number from ${minimum} on`,
    description,
    'x-parameter': { schema: { type: 'integer', minimum } },
  });

export const feedSnapshotQuery = strictObject({ keyspaces: Type.Optional(keyspacesParameter) });

export const feedRowsQuery = strictObject({
  epoch: numberParameter('The epoch that the reader is in.'),
  shard: numberParameter('The shard.'),
  after: numberParameter('Rows after this sequence number,'),
  up_to: numberParameter('up to this one.'),
  limit: Type.Optional(numberParameter('Rows at the most: 1 to 1000, and 1000 when absent.', 1)),
  view: Type.Optional(viewParameter),
  keyspaces: Type.Optional(keyspacesParameter),
});

export const feedStreamQuery = strictObject({
  epoch: numberParameter('The epoch that the reader is in.'),
  after: Type.String({
    pattern: '^(?:0|[1-9]\\d{0,14})(?:,(?:0|[1-9]\\d{0,14})){0,255}$',
    'x-expected': 'a whole number for each shard, separated by commas',
    maxLength: 4096,
    description: 'Where the reader stands in each shard, separated by commas.',
  }),
  view: Type.Optional(viewParameter),
  keyspaces: Type.Optional(keyspacesParameter),
});

/** The body of the replies that are frames: bytes, which no JSON schema describes any closer. */
export const feedFrames = Type.String({ description: 'Frames: see packages/verifier/SPEC.md.' });

export const verifierStates = ['starting', 'leased', 'silent', 'fenced'] as const;
export type VerifierState = (typeof verifierStates)[number];

export const verifierEntry = strictObject(
  {
    id: Type.String(),
    name: Type.String(),
    kind: Type.Enum(['server', ...verifierKinds], { type: 'string' }),
    region: nullable<string>(Type.String()),
    relay: strictObject(
      { id: Type.String(), name: Type.String(), region: nullable<string>(Type.String()) },
      { description: 'Whom it asked last.' },
    ),
    state: Type.Enum([...verifierStates], {
      type: 'string',
      description:
        '`starting`: it has no lease yet. `leased`. `silent`: not heard of for a while, its lease may live. `fenced`: not heard of for so long that it accepts nothing.',
    }),
    rows_behind: nullable<number>(
      Type.Integer({
        minimum: 0,
        description: 'Rows that it had not applied when it last asked; null: unknown.',
      }),
    ),
    lease_age_ms: leaseAgeField,
    seen_at: nullableTimeField,
  },
  { title: 'Verifier' },
);

export const verifierList = strictObject(
  {
    as_of: timeField,
    items: listOf(verifierEntry, { maxItems: verifiersListedMax }),
    total: Type.Integer({ minimum: 0, description: 'How many there are; more than `items` past 1,000.' }),
  },
  { title: 'VerifierList' },
);

export type LeaseAskBody = Static<typeof leaseAsk>;
export type VerifierEntry = Static<typeof verifierEntry>;
export type VerifierList = Static<typeof verifierList>;
