import { type EventType, Fault, type FeedRow } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';

/** A place in the feed of every shard, as a cursor holds it. */
export interface EventsPlace {
  readonly epoch: number;
  readonly seqs: readonly number[];
}

export interface ListEvents {
  readonly after?: EventsPlace | undefined;
  /** Where to begin without a place: at the end of what there is, or about `limit` rows before it; else with the oldest that is kept. */
  readonly from?: 'end' | 'recent' | undefined;
  readonly types?: readonly EventType[] | undefined;
  readonly limit: number;
}

/** What happened in the caller's workspace after a place, and the place to go on from, also when nothing did. */
export async function listEvents(
  ports: UseCasePorts,
  caller: Caller,
  { after, from, types, limit }: ListEvents,
): Promise<{ readonly rows: readonly FeedRow[]; readonly next: EventsPlace }> {
  requireScope(caller, 'events:read');
  if (after !== undefined && after.seqs.length !== ports.shards)
    throw badPlace('This cursor is of another store.');
  if (after === undefined && from === 'end') {
    const { epoch, seqs } = await ports.reader.heads();
    return { rows: [], next: { epoch, seqs } };
  }
  const begin =
    after === undefined && from === 'recent' ? recently((await ports.reader.heads()).seqs, limit) : undefined;
  const seqs = after?.seqs ?? begin;
  const page = await ports.reader.events(caller.workspaceId, { after: seqs, types, limit });
  if (after !== undefined && after.epoch !== page.epoch) {
    // After a restore the same numbers stand for other events: going on from them would skip some in silence.
    throw badPlace('The store was restored since this cursor was given out. Begin again without one.');
  }
  return { rows: page.rows, next: { epoch: page.epoch, seqs: page.next } };
}

/** As many rows of each shard as make a page, if all of them are of the caller's workspace. */
function recently(heads: readonly number[], limit: number): readonly number[] {
  const each = Math.ceil(limit / heads.length);
  return heads.map((seq) => Math.max(0, seq - each));
}

function badPlace(detail: string): Fault {
  return new Fault('invalid_field', {
    detail,
    field: 'after',
    expected: '`next_cursor` of an earlier reply',
  });
}
