import Type, { type Static } from 'typebox';
import { liveKeyspacesMax, liveVerifiersMax } from '../wire-limits.ts';
import { verifierEntry } from './feed.ts';
import { listOf, nullable, strictObject, timeField } from './fields.ts';

/*
 * What is told, once a second, to whoever watches the flow: figures, and who stands where. Nothing in it grows with
 * the number of keys, and no secret and no name of an owner is in it.
 */

export const liveMediaType = 'text/event-stream';

const count = (description: string) => Type.Number({ minimum: 0, description });
const figures = (description: string) =>
  Type.Unsafe<Readonly<Record<string, number>>>({
    type: 'object',
    additionalProperties: { type: 'number', minimum: 0 },
    description,
  });

const quantiles = nullable<Quantiles>(
  strictObject(
    {
      p50_ms: count('Half of them took no longer.'),
      p90_ms: count('Nine of ten.'),
      p99_ms: count('Ninety-nine of a hundred.'),
    },
    { description: 'Of the last ten seconds, read off a histogram; null: there were none.' },
  ) as never,
);

interface Quantiles {
  readonly p50_ms: number;
  readonly p90_ms: number;
  readonly p99_ms: number;
}

const reached = strictObject({
  verifier_id: Type.String(),
  name: Type.String(),
  after_ms: count('From when this server knew the change until the verifier had told that it does.'),
});

const ending = strictObject(
  {
    type: Type.String({ description: 'What ended: `key.revoked`, `owner.suspended` …' }),
    subject: Type.String({ description: 'Id of the key, the owner or the keyspace.' }),
    at: timeField,
    bound_ms: count('From the change on until no verifier accepts it any more, whatever the network does.'),
    expected: Type.Integer({ minimum: 0, description: 'Verifiers that held a lease when it was committed.' }),
    reached: listOf(reached, { maxItems: liveVerifiersMax }),
  },
  { title: 'LiveEnding' },
);

const demoStep = strictObject({
  id: Type.String(),
  title: Type.String(),
  state: Type.Enum(['waiting', 'running', 'done', 'failed'], { type: 'string' }),
  detail: Type.String({ description: 'What was seen.' }),
});

export const demoState = strictObject(
  {
    state: Type.Enum(['idle', 'running', 'done', 'failed'], { type: 'string' }),
    elapsed_ms: count('Since it was started.'),
    steps: listOf(demoStep),
  },
  { title: 'Demo' },
);

export const liveFrame = strictObject(
  {
    at: timeField,
    interval_ms: count('What the rates are over.'),
    workers: Type.Integer({ minimum: 1, description: 'Server processes that these figures are of.' }),
    verdicts: figures('Verifications a second by verdict; `stale` where none could be given.'),
    changes: figures('Changes of the workspace a second, by type of event, whichever server made them.'),
    requests: figures('Requests a second by class of status.'),
    shed: figures('Requests turned away at the door a second, by the bound that was reached.'),
    internal_errors: count('Requests a second that failed by a fault of the server.'),
    latency: strictObject({
      verify: quantiles,
      issue: quantiles,
      rotate: quantiles,
      revoke: quantiles,
      commit: quantiles,
    }),
    lanes: strictObject({
      depths: listOf(count('Rows that wait in the lane.')),
      batch_writes: count('Writes that shared one transaction, on average of the last ten seconds.'),
    }),
    in_flight: figures('Requests under way, by budget.'),
    versions: count('Key versions in the resident table, of all workspaces.'),
    feed_lag_rows: count('Rows committed and not applied here yet.'),
    keyspaces: listOf(
      strictObject({ id: Type.String(), name: Type.String(), lease_ms: Type.Integer({ minimum: 0 }) }),
      {
        maxItems: liveKeyspacesMax,
        description: 'Keyspaces of the workspace, and how long a lease runs in each.',
      },
    ),
    verifiers: strictObject({
      items: listOf(verifierEntry, {
        maxItems: liveVerifiersMax,
        description: 'By name; of more than can be told those with the oldest leases.',
      }),
      total: Type.Integer({ minimum: 0 }),
    }),
    endings: listOf(ending, {
      description: 'The last revocations and suspensions of the workspace, the newest first.',
    }),
    demo: nullable<DemoState>(demoState as never),
  },
  { title: 'LiveFrame' },
);

export const liveStream = Type.String({
  description: 'Server-sent events: `frame` with a LiveFrame as JSON, once a second; `end` with a problem.',
});

export type DemoState = Static<typeof demoState>;
export type DemoStep = DemoState['steps'][number];
export type LiveFrame = Static<typeof liveFrame>;
export type LiveEnding = LiveFrame['endings'][number];
export type LiveQuantiles = NonNullable<LiveFrame['latency']['verify']>;
