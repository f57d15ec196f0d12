import type { CloudEvent } from '@keyswarm/contract';
import { type EventType, eventTypes } from '@keyswarm/core';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { interruptible } from '../io/interrupt.ts';
import { printable } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { parseWholeNumber } from '../parse/whole-number.ts';
import type { RunAction } from '../runner.ts';
import { given } from './keyspace.ts';
import { collect } from './list-options.ts';

interface TailOptions {
  readonly follow?: true;
  readonly type?: readonly string[];
  readonly limit: string;
  readonly after?: string;
}

const pageItemsMax = 200;

export function addEventCommands(events: Command, action: RunAction): void {
  events
    .command('tail')
    .description('print the newest events, oldest first; with --follow, go on with what happens next')
    .option('--follow', 'wait for more until Ctrl-C')
    .option('--type <type>', 'only these, such as key.revoked; may be repeated', collect)
    .option('--limit <count>', 'how many of the newest to begin with; 0: at the end', '20')
    .option('--after <cursor>', 'go on from a place printed before, in place of the newest')
    .action(
      action<TailOptions>(async (context, options) => {
        const limit = parseWholeNumber(options.limit, '--limit', 100_000, 0);
        const types = options.type?.map((type) =>
          parseChoice<EventType>(type.replace(/^dev\.keyswarm\./, ''), eventTypes, '--type'),
        );
        await interruptible((signal) => tail(context, { ...options, limit, types, signal }));
        return 0;
      }),
    );
}

interface Tail {
  readonly follow?: true;
  readonly after?: string;
  readonly limit: number;
  readonly types: readonly EventType[] | undefined;
  readonly signal: AbortSignal;
}

async function tail(context: Context, { follow, after, limit, types, signal }: Tail): Promise<void> {
  const { events } = context.client();
  let cursor = after;
  // Nothing of what was: then there is nothing to read up to.
  if (after === undefined && limit === 0) cursor = (await events.list({ from: 'end' })).next_cursor;
  // A cursor only goes forward, so the newest are found by reading up to them and keeping the last few.
  let kept: readonly CloudEvent[] = [];
  for (let isLast = cursor !== after; !isLast && !signal.aborted; ) {
    const before: string | undefined = cursor;
    const page = await events.list({
      limit: pageItemsMax,
      ...given('after', cursor),
      ...given('types', types),
    });
    cursor = page.next_cursor;
    // A page of chosen types may be empty in the middle, but only at the end does the cursor stand still.
    isLast = types === undefined ? page.items.length < pageItemsMax : cursor === before;
    if (after !== undefined) await printAll(context, page.items);
    else if (limit > 0) kept = [...kept, ...page.items].slice(-limit);
  }
  await printAll(context, kept);
  if (follow) {
    const query = { ...given('after', cursor), ...given('types', types) };
    const onCursor = (place: string): void => {
      cursor = place;
    };
    for await (const { event } of events.stream(query, { signal, onCursor }))
      await printAll(context, [event]);
  }
  context.terminal.say(`go on from here with --after ${cursor ?? ''}`);
}

async function printAll({ json, terminal }: Context, items: readonly CloudEvent[]): Promise<void> {
  for (const event of items) await terminal.print(json ? JSON.stringify(event) : formatEvent(event));
}

function formatEvent({ time, type, subject, data }: CloudEvent): string {
  const details = Object.entries(data).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return printable([time, type.replace('dev.keyswarm.', '').padEnd(18), subject, ...details].join('  '));
}
