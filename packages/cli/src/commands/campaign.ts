import type { BodyOf, CampaignReply } from '@keyswarm/contract';
import { campaignKinds, campaignStates, deadlinePolicies, selectableStates } from '@keyswarm/core';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { emit, emitList } from '../io/emit.ts';
import { count } from '../io/progress.ts';
import { formatFields } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { parseDurationSeconds } from '../parse/duration.ts';
import { parseInstant } from '../parse/instant.ts';
import { parseWholeNumber } from '../parse/whole-number.ts';
import type { RunAction } from '../runner.ts';
import { watchCampaign } from './campaign-watch.ts';
import { given } from './given.ts';
import { collect, itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';
import { ownerIdOf } from './owner.ts';

interface StartOptions {
  readonly keyspace?: string;
  readonly all?: true;
  readonly prefix?: string;
  readonly owner?: string;
  readonly scope?: readonly string[];
  readonly issuedBefore?: string;
  readonly state?: string;
  readonly name?: string;
  readonly reason?: string;
  readonly window?: string;
  readonly deadline?: string;
  readonly onDeadline?: string;
  readonly pace?: string;
  readonly verifyP99?: string;
  readonly errorBudget?: string;
  readonly hold?: string;
  readonly confirm?: string;
  readonly dryRun?: true;
  readonly watch?: true;
}

export function addCampaignCommands(campaign: Command, action: RunAction): void {
  addStart(campaign, action);

  withListOptions(campaign.command('list').description('list campaigns, in the order in which they began'))
    .option('--state <state>', campaignStates.join(', '))
    .action(
      action<ListOptions & { readonly state?: string }>(async (context, options) => {
        const client = context.client();
        const state =
          options.state === undefined ? undefined : parseChoice(options.state, campaignStates, '--state');
        await emitList<CampaignReply>(context, {
          headings: ['KIND', 'STATE', 'TAKEN', 'OF', 'RENEWED', 'STARTED', 'ID'],
          row: ({ kind, state: now, progress, started_at, id }) => [
            kind,
            now,
            count(progress.taken),
            count(progress.selected),
            kind === 'rotate' ? count(progress.renewed) : '-',
            started_at,
            id,
          ],
          list: (page) => client.campaigns.list({ ...page, ...given('state', state) }),
          itemsMax: itemsMaxOf(options),
        });
        return 0;
      }),
    );

  campaign
    .command('show')
    .description('show how far a campaign is, how fast it goes and why')
    .argument('<campaign>', 'its id')
    .action(
      action(async (context, _options, { first: id }) => {
        await emit(context, await context.client().campaigns.get(id), formatCampaign);
        return 0;
      }),
    );

  campaign
    .command('watch')
    .description('watch a campaign until it has ended; Ctrl-C leaves it running')
    .argument('<campaign>', 'its id')
    .action(action(async (context, _options, { first: id }) => await watchToEnd(context, id)));

  for (const [verb, description] of [
    ['pause', 'hold a campaign; what was done stays done'],
    ['resume', 'let a paused campaign go on where it stood'],
    ['abort', 'give a campaign up for good; what was done stays done'],
  ] as const) {
    campaign
      .command(verb)
      .description(description)
      .argument('<campaign>', 'its id')
      .action(
        action(async (context, _options, { first: id }) => {
          await emit(context, await context.client().campaigns[verb](id), formatCampaign);
          return 0;
        }),
      );
  }
}

function addStart(campaign: Command, action: RunAction): void {
  campaign
    .command('start')
    .description('ask the holders of many keys to renew them, or revoke many keys')
    .argument('<kind>', campaignKinds.join(' or '))
    .option('--keyspace <keyspace>', 'name or id; this or --all')
    .option('--all', 'every keyspace but the built-in one')
    .option('--prefix <prefix>', 'only keyspaces whose keys begin with it')
    .option('--owner <owner>', 'only keys of this one: kind:external-id or an id')
    .option('--scope <scope>', 'only keys that hold it; may be repeated', collect)
    .option('--issued-before <instant>', 'only keys from before, RFC 3339')
    .option('--state <state>', `only keys that are ${selectableStates.join(', ')}`)
    .option('--name <name>', 'for people')
    .option('--reason <reason>', 'stands in the events of keys that are revoked')
    .option('--window <duration>', 'holders are spread at random over it, such as 1h')
    .option('--deadline <instant>', 'when to wait for holders no longer, RFC 3339')
    .option('--on-deadline <policy>', deadlinePolicies.join(', '))
    .option('--pace <keys>', 'keys a second')
    .option('--verify-p99 <ms>', 'go slower while verifications take longer')
    .option('--error-budget <share>', 'the share of verifications that may fail, such as 0.001')
    .option('--hold <duration>', 'how long each sample is watched, such as 60s; 0s: not at all')
    .option('--confirm <count>', 'the count of a dry run, or "all"')
    .option('--dry-run', 'only count')
    .option('--watch', 'watch it until it has ended')
    .action(
      action<StartOptions>(async (context, options, { first: kind }) => {
        const body = await bodyOf(context, kind, options);
        const reply = await context.client().campaigns.start(body);
        const { campaign: started } = reply;
        if (started === undefined) {
          await emit(context, reply, ({ selected, selected_exact: exact }) =>
            formatFields({ selected: `${exact ? '' : 'at least '}${count(selected)}` }),
          );
          return 0;
        }
        await emit(context, started, formatCampaign);
        return options.watch === true ? await watchToEnd(context, started.id) : 0;
      }),
    );
}

async function bodyOf(
  context: Context,
  kind: string,
  options: StartOptions,
): Promise<BodyOf<'startCampaign'>> {
  const seconds = (text: string | undefined, field: string) =>
    text === undefined ? undefined : parseDurationSeconds(text, field);
  const instant = (text: string | undefined, field: string) =>
    text === undefined ? undefined : parseInstant(text, field);
  const choice = <const C extends string>(text: string | undefined, of: readonly C[], field: string) =>
    text === undefined ? undefined : parseChoice(text, of, field);
  const owner =
    options.owner === undefined ? undefined : await ownerIdOf(context.client(), options.owner, '--owner');
  const pace = {
    ...given('keys_per_second', numberOf(options.pace, '--pace')),
    ...given('verify_p99_ms', numberOf(options.verifyP99, '--verify-p99')),
    ...given('error_budget', numberOf(options.errorBudget, '--error-budget')),
  };
  const hold = seconds(options.hold, '--hold');
  return {
    kind: parseChoice(kind, campaignKinds, 'KIND'),
    selector: {
      ...given('keyspace', options.keyspace),
      ...given('all', options.all),
      ...given('prefix', options.prefix),
      ...given('owner', owner),
      ...given('scopes', options.scope),
      ...given('issued_before', instant(options.issuedBefore, '--issued-before')),
      ...given('state', choice(options.state, selectableStates, '--state')),
    },
    ...given('name', options.name),
    ...given('reason', options.reason),
    ...given('dry_run', options.dryRun),
    ...given('confirm', confirmOf(options.confirm)),
    ...given('window_seconds', seconds(options.window, '--window')),
    ...given('deadline', instant(options.deadline, '--deadline')),
    ...given('on_deadline', choice(options.onDeadline, deadlinePolicies, '--on-deadline')),
    ...(Object.keys(pace).length === 0 ? {} : { pace }),
    ...(hold === undefined ? {} : { canary: { hold_seconds: hold } }),
  };
}

function confirmOf(text: string | undefined): number | 'all' | undefined {
  if (text === undefined || text === 'all') return text;
  return parseWholeNumber(text, '--confirm', 1_000_000_000);
}

function numberOf(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InputError(field, `${JSON.stringify(text)} is not a number`, 'such as 500 or 0.001');
}

/** Exit code 0 if it came to its end, 1 if it was aborted or is watched no longer. */
async function watchToEnd(context: Context, id: string): Promise<number> {
  const last = await watchCampaign(context, id);
  await emit(context, last, formatCampaign);
  return last.state === 'finished' ? 0 : 1;
}

function suspendedNote(suspended: number): string {
  return suspended === 0 ? '' : ` (${count(suspended)} of suspended owners, who could not renew)`;
}

function formatCampaign(campaign: CampaignReply): string {
  const { progress, pace, canary } = campaign;
  const isRotation = campaign.kind === 'rotate';
  return formatFields({
    id: campaign.id,
    kind: campaign.kind,
    name: campaign.name || null,
    state: campaign.paused_because === null ? campaign.state : `paused (${campaign.paused_because})`,
    stage: campaign.state === 'running' ? canary.stage.replaceAll('_', ' ') : campaign.phase,
    'held until': canary.hold_until,
    taken: `${count(progress.taken)} of ${progress.selected_exact ? '' : 'at least '}${count(progress.selected)}`,
    skipped: `${count(progress.skipped)}${suspendedNote(progress.skipped_suspended)}`,
    renewed: isRotation ? count(progress.renewed) : null,
    open: isRotation ? count(progress.open) : null,
    enforced: isRotation ? count(progress.enforced) : null,
    pace: `${count(Math.round(pace.now))} of ${count(pace.keys_per_second)} keys/s`,
    'slowed by': pace.throttled_by,
    deadline: campaign.deadline,
    'at the deadline': campaign.on_deadline,
    eta: campaign.eta,
    started: campaign.started_at,
    ended: campaign.ended_at,
  });
}
