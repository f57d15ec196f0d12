import { assert } from '@keyswarm/core';
import type { SnapshotSink } from '../storage/reader-port.ts';
import {
  nilUuid,
  type SnapshotPage,
  snapshotKeys,
  snapshotKeyspaces,
  snapshotOwners,
  snapshotVersions,
} from '../storage/statements/snapshot-pages.ts';
import type { Queryable } from '../storage/store.ts';
import { SnapshotLines } from './snapshot-lines.ts';

export interface SnapshotShape {
  readonly shards: number;
  readonly pageRows: number;
}

/**
 * Streams every fact that a transaction sees, shard by shard, in pages by id. The next page is asked for before
 * the one at hand is taken apart, so that the engine and this process work at the same time.
 */
export async function loadSnapshot(tx: Queryable, sink: SnapshotSink, shape: SnapshotShape): Promise<void> {
  const lines = new SnapshotLines();
  for (let shard = 0; shard < shape.shards; shard += 1) {
    for await (const page of pages(tx, snapshotKeyspaces, shard, shape.pageRows)) {
      for (const line of page.lines) sink.keyspace(lines.keyspaceFact(line));
    }
    for await (const page of pages(tx, snapshotOwners, shard, shape.pageRows)) {
      for (const line of page.lines) sink.owner(lines.ownerFact(line));
    }
    for await (const page of pages(tx, snapshotKeys, shard, shape.pageRows)) {
      const versions = await snapshotVersions(tx, { shard, after: page.after, last: page.last });
      for (const fact of lines.keyFacts(page.lines, versions)) sink.key(fact);
    }
  }
}

interface Page {
  readonly lines: readonly string[];
  /** Ids as SQL wrote them: exclusive start, and the last one of the page. */
  readonly after: string;
  readonly last: string;
}

type ReadPage = (tx: Queryable, page: SnapshotPage) => Promise<readonly string[]>;

async function* pages(tx: Queryable, read: ReadPage, shard: number, limit: number): AsyncGenerator<Page> {
  let after = nilUuid;
  let next: Promise<readonly string[]> | undefined = read(tx, { shard, after, limit });
  while (next !== undefined) {
    const lines: readonly string[] = await next;
    const lastLine = lines.at(-1);
    if (lastLine === undefined) return;
    const last = idOf(lastLine);
    next = lines.length < limit ? undefined : read(tx, { shard, after: last, limit });
    // It is awaited after the page was used; that it failed in the meantime is not unhandled, only not yet heard.
    next?.catch(() => {});
    yield { lines, after, last };
    after = last;
  }
}

function idOf(line: string): string {
  const end = line.indexOf(' ');
  assert(end === 36, 'a line begins with a uuid');
  return line.slice(0, end);
}
