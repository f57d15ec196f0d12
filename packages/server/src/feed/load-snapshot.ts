import {
  assert,
  type DocumentId,
  decodeSigningKey,
  parseId,
  type SigningKeyFact,
  signingKeyFactOf,
} from '@keyswarm/core';
import type { SnapshotSink } from '@keyswarm/verifier';
import { listDocuments } from '../storage/statements/documents.ts';
import {
  endOfRange,
  firstUuid,
  type IdRange,
  lastUuid,
  readLines,
  readVersionLines,
  type SnapshotTable,
} from '../storage/statements/snapshot-pages.ts';
import type { Queryable } from '../storage/store.ts';
import { SnapshotLines } from './snapshot-lines.ts';

export interface SnapshotShape {
  readonly shards: number;
  readonly pageRows: number;
}

/**
 * Streams every fact that a transaction sees, in ranges of ids. The next range is asked for before the one at hand
 * is taken apart, so that the engine and this process work at the same time. Measured with PostgreSQL on the same
 * two cores, which had other work as well: 5 µs a key for the engine and 4.5 µs for this process, so that a million
 * keys take 5 to 10 s.
 */
export async function loadSnapshot(
  tx: Queryable,
  sink: Omit<SnapshotSink, 'stretch'>,
  shape: SnapshotShape,
): Promise<void> {
  const decode = new SnapshotLines();
  for await (const { lines } of pages(tx, 'keyspaces', shape)) {
    for (const line of lines) sink.keyspace(decode.keyspaceFact(line));
  }
  for (const fact of await readSigningKeys(tx, shape)) sink.signingKey(fact);
  for await (const { lines } of pages(tx, 'owners', shape)) {
    for (const line of lines) sink.owner(decode.ownerFact(line));
  }
  for await (const { lines, versions } of pages(tx, 'keys', shape)) {
    for (const fact of decode.keyFacts(lines, versions)) sink.key(fact);
  }
}

/** A few a workspace. Those that were removed verify nothing, as those do that are not known. */
async function readSigningKeys(
  tx: Queryable,
  { shards, pageRows }: SnapshotShape,
): Promise<readonly SigningKeyFact[]> {
  const facts: SigningKeyFact[] = [];
  let after: DocumentId | undefined;
  for (;;) {
    const page = await listDocuments(tx, { kind: 'sk', after, limit: pageRows }, shards);
    for (const document of page) {
      const id = parseId('sk', document.id);
      const record = id === undefined ? undefined : decodeSigningKey({ ...document, id });
      assert(record !== undefined, 'a signing key is read as it was written');
      if (record.state !== 'removed') facts.push(signingKeyFactOf(record));
    }
    after = page.at(-1)?.id;
    if (page.length < pageRows) return facts;
  }
}

interface Page {
  readonly lines: readonly string[];
  /** Of keys; else empty. */
  readonly versions: readonly string[];
}

async function* pages(tx: Queryable, table: SnapshotTable, shape: SnapshotShape): AsyncGenerator<Page> {
  let after = firstUuid;
  let next: Promise<RangedPage> | undefined = readPage(tx, table, after, shape);
  while (next !== undefined) {
    const page: RangedPage = await next;
    after = page.range.upTo;
    next = after === lastUuid ? undefined : readPage(tx, table, after, shape);
    // It is awaited after the page was used; that it failed in the meantime is not unhandled, only not yet heard.
    next?.catch(() => {});
    yield page;
  }
}

interface RangedPage extends Page {
  readonly range: IdRange;
}

async function readPage(
  tx: Queryable,
  table: SnapshotTable,
  after: string,
  { shards, pageRows }: SnapshotShape,
): Promise<RangedPage> {
  const range = { after, upTo: await endOfRange(tx, table, { after, rows: pageRows, shards }) };
  const [lines, versions] = await Promise.all([
    readLines(tx, table, range, shards),
    table === 'keys' ? readVersionLines(tx, range, shards) : [],
  ]);
  return { range, lines, versions };
}
