import type { WebhookReply } from '@keyswarm/contract';
import { type EventType, eventTypes } from '@keyswarm/core';
import type { Command } from 'commander';
import { forEachId } from '../bulk/for-each-id.ts';
import { emit, emitList } from '../io/emit.ts';
import { formatFields } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { parseWholeNumber } from '../parse/whole-number.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { collect, itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';

interface CreateOptions {
  readonly type?: readonly string[];
  readonly keyspace?: string;
  readonly description?: string;
}

const overlapSecondsMax = 604_800;

export function addWebhookCommands(webhook: Command, action: RunAction): void {
  webhook
    .command('create')
    .description('have events sent to an address; prints the secret, once')
    .argument('<url>', 'https, at a public address')
    .option('--type <type>', 'only these, such as key.revoked; may be repeated', collect)
    .option('--keyspace <keyspace>', 'only of this keyspace, by name or id')
    .option('--description <text>', 'for people')
    .action(
      action<CreateOptions>(async (context, options, { first: url }) => {
        const types = options.type?.map((type) => parseChoice<EventType>(type, eventTypes, '--type'));
        const { keyspace, description } = options;
        const wish = {
          url,
          ...given('types', types),
          ...given('keyspace', keyspace),
          ...given('description', description),
        };
        const made = await context.client().webhooks.create(wish);
        await emit(context, made, (shown) => `${formatWebhook(shown)}\nsecret: ${shown.secret}`);
        return 0;
      }),
    );
  withListOptions(webhook.command('list').description('list where events are sent')).action(
    action<ListOptions>(async (context, options) => {
      const client = context.client();
      await emitList<WebhookReply>(context, {
        headings: ['ID', 'STATE', 'DELIVERY', 'URL', 'TYPES', 'DESCRIPTION'],
        row: (each) => [
          each.id,
          each.disabled_reason === null ? each.state : `${each.state} (${each.disabled_reason})`,
          deliveryOf(each),
          each.url,
          each.types?.join(' ') ?? 'all',
          each.description,
        ],
        list: (page) => client.webhooks.list(page),
        itemsMax: itemsMaxOf(options),
      });
      return 0;
    }),
  );
  addChangeCommands(webhook, action);
}

function addChangeCommands(webhook: Command, action: RunAction): void {
  for (const [verb, state, about] of [
    ['disable', 'disabled', 'stop sending there; what happens meanwhile is kept for three days'],
    ['enable', 'active', 'go on where it stopped'],
  ] as const) {
    webhook
      .command(verb)
      .description(about)
      .argument('<id>', 'wh_…')
      .action(
        action(async (context, _options, { first: id }) => {
          await emit(context, await context.client().webhooks.update(id, { state }), formatWebhook);
          return 0;
        }),
      );
  }
  webhook
    .command('rotate-secret')
    .description('a new secret; the old one signs as well until the overlap ends')
    .argument('<id>', 'wh_…')
    .option('--overlap <seconds>', 'how long both sign', '86400')
    .action(
      action<{ readonly overlap: string }>(async (context, { overlap }, { first: id }) => {
        const seconds = parseWholeNumber(overlap, '--overlap', overlapSecondsMax, 0);
        const made = await context.client().webhooks.rotateSecret(id, { overlap_seconds: seconds });
        await emit(context, made, (shown) => `${formatWebhook(shown)}\nsecret: ${shown.secret}`);
        return 0;
      }),
    );
  webhook
    .command('delete')
    .description('send nothing there any more')
    .argument('<id...>', 'wh_…, one or more')
    .action(
      action(async (context, _options, { all: ids }) => {
        const { webhooks } = context.client();
        return forEachId(context, {
          verb: 'deleted',
          ids,
          call: (id) => webhooks.delete(id),
          human: ({ id }) => `${id} is deleted`,
        });
      }),
    );
}

/** `up to date`, `12 to send`, `failing (server_error: status 503), 12 to send`. */
export function deliveryOf({ delivery }: Pick<WebhookReply, 'delivery'>): string {
  if (delivery === undefined) return '-';
  const { failing_since: since, last_error: error, waiting_at_most: waiting } = delivery;
  const behind = waiting === 0 ? [] : [`up to ${waiting} to send`];
  const failing = since === null ? [] : [`failing (${error ?? 'no answer'})`];
  return [...failing, ...behind].join(', ') || 'up to date';
}

function formatWebhook(webhook: WebhookReply): string {
  return formatFields({
    id: webhook.id,
    url: webhook.url,
    state: webhook.state,
    types: webhook.types?.join(' ') ?? 'all',
    keyspace: webhook.keyspace_id ?? 'all',
  });
}
