import {
  campaignHoldSecondsMax,
  campaignKinds,
  campaignStages,
  campaignStates,
  campaignWindowSecondsMax,
  deadlinePolicies,
  reasonLengthMax,
  selectableStates,
} from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import { prefixTextLengthMax } from '../wire-limits.ts';
import {
  campaignIdField,
  cursorField,
  keyIdField,
  keyspaceIdField,
  keyspaceRefField,
  limitField,
  line,
  listOf,
  nameField,
  nullable,
  nullableTimeField,
  ownerIdField,
  scopeField,
  seqField,
  strictObject,
  timeField,
} from './fields.ts';

/* A campaign: a bulk rotation or revocation, by a selector. Its bounds are judged by the server, which names the field. */

const kind = Type.Enum([...campaignKinds], {
  type: 'string',
  description: '`rotate` asks holders to renew; `revoke` ends the keys.',
});
const onDeadline = Type.Enum([...deadlinePolicies], {
  type: 'string',
  description:
    'At the deadline: `leave` keys that were not renewed, `revoke` them, or `cut_old`: end the old versions of those that were.',
});
const keyState = Type.Enum([...selectableStates], { type: 'string' });
const scopes = listOf(scopeField, {
  maxItems: 64,
  description: 'Keys that hold all of these, by name or by wildcard.',
});

const selectorField = strictObject(
  {
    keyspace: Type.Optional(keyspaceRefField),
    all: Type.Optional(Type.Boolean({ description: 'In place of a keyspace: all but the built-in one.' })),
    prefix: Type.Optional(line(prefixTextLengthMax, 'Only keyspaces of this prefix.')),
    owner: Type.Optional(ownerIdField),
    scopes: Type.Optional(scopes),
    issued_before: Type.Optional(timeField),
    state: Type.Optional(keyState),
  },
  { title: 'CampaignSelector' },
);

const paceField = strictObject(
  {
    keys_per_second: Type.Optional(Type.Number({ description: '500 unless given.' })),
    verify_p99_ms: Type.Optional(
      Type.Number({ description: 'It goes slower while verifications take longer; 50 unless given.' }),
    ),
    error_budget: Type.Optional(
      Type.Number({ description: 'The share of verifications that may fail; 0.001 unless given.' }),
    ),
  },
  { title: 'CampaignPace' },
);

export const campaignStart = strictObject(
  {
    kind,
    name: Type.Optional(nameField),
    reason: Type.Optional(line(reasonLengthMax, 'Stands in the events of keys that are revoked.')),
    selector: selectorField,
    dry_run: Type.Optional(Type.Boolean({ description: 'Only count.' })),
    confirm: Type.Optional(
      Type.Unsafe<number | 'all'>({
        anyOf: [{ type: 'integer', minimum: 1 }, { const: 'all' }],
        'x-expected': 'the count of a dry run, or "all"',
        description:
          'The count of a dry run, or "all". Required where every key of a keyspace would be taken.',
      }),
    ),
    window_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: campaignWindowSecondsMax,
        description: 'Holders are spread at random over it; an hour unless given.',
      }),
    ),
    deadline: Type.Optional(timeField),
    on_deadline: Type.Optional(onDeadline),
    pace: Type.Optional(paceField),
    canary: Type.Optional(
      strictObject({
        hold_seconds: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: campaignHoldSecondsMax,
            description:
              'How long the first hundredth, and then the first tenth, are watched before more is taken; 60 unless given.',
          }),
        ),
      }),
    ),
  },
  { title: 'CampaignStart' },
);

const count = Type.Integer({ minimum: 0 });

export const campaignReply = strictObject(
  {
    id: campaignIdField,
    kind,
    name: nameField,
    reason: nullable<string>(Type.String()),
    state: Type.Enum([...campaignStates], { type: 'string' }),
    phase: Type.Enum(['select', 'wait', 'enforce'], { type: 'string' }),
    paused_because: nullable<'asked' | 'error_budget'>(Type.String()),
    selector: strictObject({
      keyspaces: listOf(keyspaceIdField),
      owner: nullable<string>(ownerIdField),
      scopes: listOf(scopeField),
      issued_before: timeField,
      state: nullable<(typeof selectableStates)[number]>(Type.String()),
    }),
    window_seconds: count,
    deadline: nullableTimeField,
    on_deadline: nullable<(typeof deadlinePolicies)[number]>(Type.String()),
    canary: strictObject({
      stage: Type.Enum(
        campaignStages.map(({ name }) => name),
        { type: 'string' },
      ),
      hold_seconds: count,
      hold_until: nullableTimeField,
    }),
    pace: strictObject({
      keys_per_second: Type.Number(),
      verify_p99_ms: Type.Number(),
      error_budget: Type.Number(),
      now: Type.Number({ description: 'Keys a second that it is held to now.' }),
      throttled_by: nullable<'verify_p99' | 'server_load' | 'error_budget'>(Type.String()),
    }),
    progress: strictObject({
      selected: Type.Integer({ minimum: 0, description: 'Keys that were matched at the start.' }),
      selected_exact: Type.Boolean({ description: 'False: there are more than were counted.' }),
      taken: Type.Integer({ minimum: 0, description: 'Asked to renew, or revoked.' }),
      skipped: Type.Integer({
        minimum: 0,
        description:
          'Looked at and left: at their end meanwhile, stronger than who began the campaign, or `skipped_suspended`.',
      }),
      skipped_suspended: Type.Integer({
        minimum: 0,
        description:
          'Of those skipped: not asked to renew, because the owner or the keyspace is suspended. Another campaign takes them once it is resumed.',
      }),
      renewed: count,
      open: Type.Integer({ minimum: 0, description: 'Asked, and neither renewed nor at their end.' }),
      enforced: Type.Integer({ minimum: 0, description: 'By the policy of the deadline.' }),
    }),
    eta: nullableTimeField,
    started_by: keyIdField,
    started_at: timeField,
    ended_at: nullableTimeField,
  },
  { title: 'Campaign' },
);

export const campaignChanged = strictObject(
  { ...campaignReply.properties, seq: seqField },
  { title: 'CampaignChanged' },
);

export const campaignStarted = strictObject(
  {
    dry_run: Type.Boolean(),
    selected: count,
    selected_exact: Type.Boolean(),
    campaign: Type.Optional(campaignReply),
    seq: Type.Optional(seqField),
  },
  { title: 'CampaignStarted', description: 'Of a dry run the count alone.' },
);

export const campaignList = strictObject(
  { items: listOf(campaignReply), next_cursor: nullable<string>(cursorField) },
  { title: 'CampaignList' },
);

export const campaignParams = strictObject({ id: campaignIdField });
export const campaignsQuery = strictObject({
  state: Type.Optional(Type.Enum([...campaignStates], { type: 'string' })),
  cursor: Type.Optional(cursorField),
  limit: Type.Optional(limitField),
});

export type CampaignStart = Static<typeof campaignStart>;
export type CampaignReply = Static<typeof campaignReply>;
export type CampaignChanged = Static<typeof campaignChanged>;
export type CampaignStarted = Static<typeof campaignStarted>;
