import type { DeadLetterReply } from '@keyswarm/contract';
import type { Command } from 'commander';
import { forEachId } from '../bulk/for-each-id.ts';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { emitList } from '../io/emit.ts';
import type { RunAction } from '../runner.ts';
import { itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';

interface ReplayOptions {
  readonly all?: true;
}

export function addDeadLetterCommands(deadLetters: Command, action: RunAction): void {
  withListOptions(deadLetters.command('list').description('list events and jobs that were given up')).action(
    action<ListOptions>(async (context, options) => {
      const client = context.client();
      await emitList<DeadLetterReply>(context, {
        headings: ['ID', 'KIND', 'SOURCE', 'WHAT', 'ATTEMPTS', 'DIED AT', 'REASON'],
        row: (each) => [
          each.id,
          each.kind,
          each.source,
          whatOf(each),
          String(each.attempts),
          each.died_at,
          each.reason,
        ],
        list: (page) => client.deadLetters.list(page),
        itemsMax: itemsMaxOf(options),
      });
      return 0;
    }),
  );
  deadLetters
    .command('replay')
    .description('send events again, or do jobs again; each leaves the list when that has worked')
    .argument('[id...]', 'dl_…, one or more')
    .option('--all', 'all that can be')
    .action(
      action<ReplayOptions>(async (context, { all: isAll }, { all: ids }) => {
        const client = context.client();
        const wanted = isAll ? await replayable(context) : ids;
        if (!isAll && ids.length === 0) throw new InputError('id', 'name dead letters, or give --all');
        return forEachId(context, {
          verb: 'queued',
          ids: wanted,
          call: (id) => client.deadLetters.replay(id),
          human: ({ id }) => `${id} is queued`,
        });
      }),
    );
  deadLetters
    .command('discard')
    .description('remove them and do nothing about it')
    .argument('<id...>', 'dl_…, one or more')
    .action(
      action(async (context, _options, { all: ids }) => {
        const client = context.client();
        return forEachId(context, {
          verb: 'discarded',
          ids,
          call: (id) => client.deadLetters.discard(id),
          human: ({ id }) => `${id} is discarded`,
        });
      }),
    );
}

async function replayable(context: Context): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id, kind } of context.client().deadLetters.list({ limit: 200 })) {
    if (kind !== 'range') ids.push(id);
  }
  return ids;
}

function whatOf({ kind, body }: DeadLetterReply): string {
  if (kind === 'event') return `${String(body.type)} ${String(body.subject)}`;
  if (kind === 'range')
    return `shard ${String(body.shard)}, ${String(body.from_seq)} to ${String(body.to_seq)}`;
  return JSON.stringify(body).slice(0, 80);
}
