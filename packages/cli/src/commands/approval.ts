import type { ApprovalChanged, ApprovalDecide, ApprovalReply, KeyIssued } from '@keyswarm/contract';
import type { Command } from 'commander';
import { forEachId } from '../bulk/for-each-id.ts';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { emit, emitList } from '../io/emit.ts';
import { formatFields } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { parseInstant } from '../parse/instant.ts';
import { parseOwnerName } from '../parse/owner-name.ts';
import type { RunAction } from '../runner.ts';
import { formatApproval } from './approval-fields.ts';
import { given } from './given.ts';
import { formatIssued } from './key-issue.ts';
import { collect, itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';

interface ApprovalListOptions extends ListOptions {
  readonly keyspace?: string;
  readonly state?: string;
  readonly requestedBy?: string;
}

interface DecideOptions {
  readonly note?: string;
  readonly keyspace?: string;
  readonly scope?: readonly string[];
  readonly owner?: string;
  readonly requestedBy?: string;
  readonly requestedBefore?: string;
}

const states = ['pending', 'approved', 'collected', 'denied', 'expired', 'withdrawn'] as const;

export function addApprovalCommands(approval: Command, action: RunAction): void {
  addReadCommands(approval, action);
  addDecideCommands(approval, action);
  addHolderCommands(approval, action);
}

function addReadCommands(approval: Command, action: RunAction): void {
  withListOptions(approval.command('list').description('list requests, the oldest first'))
    .option('--keyspace <keyspace>', 'only of this keyspace, by name or id')
    .option('--state <state>', `only ${states.join(', ')}`)
    .option('--requested-by <id>', 'only of this management key, key_…')
    .action(
      action<ApprovalListOptions>(async (context, options) => {
        const client = context.client();
        const state = options.state === undefined ? undefined : parseChoice(options.state, states, '--state');
        const filter = {
          ...given('keyspace', options.keyspace),
          ...given('state', state),
          ...given('requested_by', options.requestedBy),
        };
        await emitList<ApprovalReply>(context, {
          headings: ['ID', 'STATE', 'OWNER', 'SCOPES', 'WAITS UNTIL', 'REASON'],
          row: (each) => [
            each.id,
            each.state,
            `${each.owner.kind}:${each.owner.external_id}`,
            each.scopes.join(' '),
            each.waits_until,
            each.reason,
          ],
          list: (page) => client.approvals.list({ ...page, ...filter }),
          itemsMax: itemsMaxOf(options),
        });
        return 0;
      }),
    );

  approval
    .command('show')
    .description('show a request: the key that is asked for, who asked, who decided')
    .argument('<id>', 'appr_…')
    .action(
      action(async (context, _options, { first: id }) => {
        await emit(context, await context.client().approvals.get(id), formatApproval);
        return 0;
      }),
    );
}

function addDecideCommands(approval: Command, action: RunAction): void {
  const decisions = [
    ['approve', 'agree to requests, by id or all that match every option'],
    ['deny', 'refuse requests, by id or all that match every option'],
  ] as const;
  for (const [decision, description] of decisions) {
    approval
      .command(decision)
      .description(description)
      .argument('[id...]', 'appr_…, one or more')
      .option('--note <text>', 'for who asked, and for the audit record')
      .option('--keyspace <keyspace>', 'all of this keyspace, by name or id')
      .option('--scope <scope>', 'all whose every scope is covered; may be repeated', collect)
      .option('--owner <owner>', 'all for this owner, such as service:billing')
      .option('--requested-by <id>', 'all of this management key, key_…')
      .option('--requested-before <time>', 'all that are older: RFC 3339')
      .action(
        action<DecideOptions>(async (context, options, { all: ids }) => {
          const body = { decision, ...whichOf(ids, options), ...given('note', options.note) };
          return await decide(context, body);
        }),
      );
  }
}

function whichOf(ids: readonly string[], options: DecideOptions): Pick<ApprovalDecide, 'ids' | 'filter'> {
  const { requestedBefore: before, owner } = options;
  const filter = {
    ...given('keyspace', options.keyspace),
    ...given('scopes', options.scope),
    ...given('owner', owner === undefined ? undefined : parseOwnerName(owner, '--owner')),
    ...given('requested_by', options.requestedBy),
    ...given(
      'requested_before',
      before === undefined ? undefined : parseInstant(before, '--requested-before'),
    ),
  };
  const isFiltered = Object.keys(filter).length > 0;
  if (ids.length > 0 === isFiltered) {
    throw new InputError(
      'ID',
      ids.length > 0 ? 'both ids and options were given' : 'nothing says which requests are meant',
      'ids, or at least one of --keyspace, --scope, --owner, --requested-by and --requested-before',
    );
  }
  return isFiltered ? { filter } : { ids: [...ids] };
}

/** 5, as of a conflict, when one of them was refused. */
async function decide(context: Context, body: ApprovalDecide): Promise<number> {
  const { terminal, json } = context;
  const { results, more } = await context.client().approvals.decide(body);
  for (const result of results) {
    const { id, state, error } = result;
    const text = error === undefined ? `${id}  ${state}` : `${id}  ${error.code}: ${error.detail}`;
    await terminal.print(json ? JSON.stringify(result) : text);
  }
  const refused = results.filter(({ error }) => error !== undefined).length;
  terminal.say(`decided ${results.length - refused}${refused === 0 ? '' : `, refused ${refused}`}`);
  if (more) terminal.say('more requests match: the same command decides the next ones');
  return refused === 0 ? 0 : 5;
}

function addHolderCommands(approval: Command, action: RunAction): void {
  approval
    .command('collect')
    .description('issue the key of an approved request of your own; the secret is shown once')
    .argument('<id>', 'appr_…')
    .action(
      action(async (context, _options, { first: id }) => {
        await emit<KeyIssued>(context, await context.client().approvals.collect(id), formatIssued);
        context.terminal.say('the secret is shown this once; only its hash is kept');
        return 0;
      }),
    );

  approval
    .command('withdraw')
    .description('take requests of your own back')
    .argument('<id...>', 'appr_…, one or more')
    .action(
      action(async (context, _options, { all: ids }) => {
        const client = context.client();
        return forEachId<ApprovalChanged>(context, {
          verb: 'withdrawn',
          ids,
          call: (id) => client.approvals.withdraw(id),
          human: ({ id, state }) => formatFields({ id, state }),
        });
      }),
    );
}
