import type { CloudEvent } from '@keyswarm/contract';
import { type EventType, eventTypes } from '@keyswarm/core';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { interruptible } from '../io/interrupt.ts';
import { printable } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { parseDurationSeconds } from '../parse/duration.ts';
import { parseInstant } from '../parse/instant.ts';
import { parseWholeNumber } from '../parse/whole-number.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { collect } from './list-options.ts';

interface TailOptions {
  readonly follow?: true;
  readonly type?: readonly string[];
  readonly limit: string;
  readonly from?: string;
  readonly since?: string;
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
    .option('--from <place>', 'start: everything that is kept, in place of the newest')
    .option('--since <time>', 'what happened since: 15m, 2h or RFC 3339, in place of the newest')
    .option('--after <cursor>', 'go on from a place printed before, in place of the newest')
    .action(
      action<TailOptions>(async (context, options) => {
        const limit = parseWholeNumber(options.limit, '--limit', 100_000, 0);
        const types = options.type?.map((type) =>
          parseChoice<EventType>(type.replace(/^dev\.keyswarm\./, ''), eventTypes, '--type'),
        );
        const begin = beginOf(options, limit);
        await interruptible((signal) => tail(context, { follow: options.follow, begin, types, signal }));
        return 0;
      }),
    );
}

/** Where to begin: at the newest few, or before all that is to be printed. */
type Begin =
  | { readonly at: 'newest'; readonly limit: number }
  | { readonly at: 'place'; readonly after: string | undefined; readonly sinceMs: number };

function beginOf({ from, since, after }: TailOptions, limit: number): Begin {
  const places = Object.entries({ from, since, after }).filter(([, value]) => value !== undefined);
  if (places.length > 1) {
    const names = places.map(([name]) => `--${name}`);
    throw new InputError(names[1] ?? '', `${names.join(' and ')} each say where to begin`, 'one of them');
  }
  if (from !== undefined) parseChoice(from, ['start'] as const, '--from');
  if (places.length === 0) return { at: 'newest', limit };
  return { at: 'place', after, sinceMs: since === undefined ? 0 : parseSince(since) };
}

/** A duration counts back from this machine's clock; events are dated by the server's. */
function parseSince(text: string): number {
  if (/^[\dsmhdw]+$/.test(text)) return Date.now() - parseDurationSeconds(text, '--since') * 1_000;
  return Date.parse(parseInstant(text, '--since'));
}

interface Tail {
  readonly follow: true | undefined;
  readonly begin: Begin;
  readonly types: readonly EventType[] | undefined;
  readonly signal: AbortSignal;
}

async function tail(context: Context, { follow, begin, types, signal }: Tail): Promise<void> {
  const { events } = context.client();
  const printed =
    begin.at === 'place'
      ? await printFrom(context, { begin, types, signal })
      : await printNewest(context, { limit: begin.limit, types, signal });
  let cursor = printed;
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

interface Reading extends Pick<Tail, 'types' | 'signal'> {}

/** Page by page from a place, printed as they come. Gives the place behind them. */
async function printFrom(
  context: Context,
  { begin, types, signal }: Reading & { readonly begin: Extract<Begin, { at: 'place' }> },
): Promise<string | undefined> {
  let cursor = begin.after;
  for await (const page of pagesAfter(context, { query: given('after', begin.after), types, signal })) {
    cursor = page.next_cursor;
    await printAll(
      context,
      page.items.filter(({ time }) => Date.parse(time) >= begin.sinceMs),
    );
  }
  return cursor;
}

/**
 * A place is only gone on from, so the newest are read from a page before the end. With a type, or more than a page, that
 * may be too few: then they are looked for from the start.
 */
async function printNewest(
  context: Context,
  { limit, types, signal }: Reading & { readonly limit: number },
): Promise<string | undefined> {
  if (limit === 0) return (await context.client().events.list({ from: 'end' })).next_cursor;
  let kept: readonly CloudEvent[] = [];
  let cursor: string | undefined;
  const begins = limit > pageItemsMax ? [{}] : [{ from: 'recent' as const }, {}];
  for (const query of begins) {
    kept = [];
    for await (const page of pagesAfter(context, { query, types, signal })) {
      cursor = page.next_cursor;
      kept = [...kept, ...page.items].slice(-limit);
    }
    if (kept.length === limit || signal.aborted) break;
  }
  await printAll(context, kept);
  return cursor;
}

type Page = Awaited<ReturnType<ReturnType<Context['client']>['events']['list']>>;

async function* pagesAfter(
  context: Context,
  {
    query,
    types,
    signal,
  }: Reading & { readonly query: { readonly after?: string; readonly from?: 'recent' } },
): AsyncGenerator<Page> {
  const { events } = context.client();
  let next: { readonly after?: string; readonly from?: 'recent' } = query;
  for (let isLast = false; !isLast && !signal.aborted; ) {
    const page = await events.list({ ...next, limit: pageItemsMax, ...given('types', types) });
    // A page of chosen types may be empty in the middle, but only at the end does the cursor stand still.
    isLast = types === undefined ? page.items.length < pageItemsMax : page.next_cursor === next.after;
    next = { after: page.next_cursor };
    yield page;
  }
}

async function printAll({ json, terminal }: Context, items: readonly CloudEvent[]): Promise<void> {
  for (const event of items) await terminal.print(json ? JSON.stringify(event) : formatEvent(event));
}

function formatEvent({ time, type, subject, data }: CloudEvent): string {
  const details = Object.entries(data).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return printable([time, type.replace('dev.keyswarm.', '').padEnd(18), subject, ...details].join('  '));
}
