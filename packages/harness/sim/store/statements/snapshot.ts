import type { Params } from '../params.ts';
import type { SimTransaction } from '../sim-transaction.ts';
import type { InShard, Table, Tables } from '../tables.ts';
import type { Handlers, Row } from './handler.ts';

/* A snapshot in pages of lines, as `snapshot-pages.ts` in the server describes them. */

const orDash = (value: string | number | null): string => (value === null ? '-' : String(value));

type Lines = (tables: Tables, tx: SimTransaction, given: Params) => readonly string[];

function inRange<Item extends { readonly id: string }>(
  tx: SimTransaction,
  table: Table<InShard<Item>>,
  given: Params,
): readonly InShard<Item>[] {
  return [...tx.scan(table)]
    .map(([, row]) => row)
    .filter((row) => row.id > given.text(2) && row.id <= given.text(3));
}

const keyLines: Lines = (tables, tx, given) =>
  inRange(tx, tables.keys, given).map((row) =>
    [
      row.id,
      row.revision,
      row.keyspace_id,
      row.owner_id,
      row.state,
      orDash(row.not_before),
      orDash(row.expires_at),
      row.scopes.join(','),
      row.traits === null ? '-' : JSON.stringify(row.traits),
    ].join(' '),
  );

const ownerLines: Lines = (tables, tx, given) =>
  inRange(tx, tables.owners, given).map((row) =>
    [
      row.id,
      row.revision,
      row.kind,
      row.state,
      orDash(row.keys_not_before),
      JSON.stringify(row.external_id),
    ].join(' '),
  );

const keyspaceLines: Lines = (tables, tx, given) =>
  inRange(tx, tables.keyspaces, given).map((row) =>
    [
      row.id,
      row.workspace_id,
      row.revision,
      row.name,
      row.state,
      row.lease_seconds,
      orDash(row.keys_not_before),
      orDash((row.rules?.proof as string | undefined) ?? null),
    ].join(' '),
  );

const versionLines: Lines = (tables, tx, given) =>
  [...tx.scan(tables.versions)]
    .flatMap(([, versions]) => versions)
    .filter((row) => row.key_id > given.text(2) && row.key_id <= given.text(3))
    .map((row) =>
      [
        row.key_id,
        row.number,
        Buffer.from(row.fingerprint.subarray(0, 16)).toString('hex'),
        row.state,
        orDash(row.minted_at),
        orDash(row.retires_at),
      ].join(' '),
    );

const page = (lines: Lines) => ({
  run(tx: SimTransaction, given: Params): readonly Row[] {
    const all = lines(tx.tables, tx, given);
    return [{ lines: all.length === 0 ? null : all.join('\n') }];
  },
});

/** The id so many rows ahead, where that is the nearest of all shards. */
const endOf = (tableOf: (tables: Tables) => Table<InShard<{ readonly id: string }>>) => ({
  run(tx: SimTransaction, given: Params): readonly Row[] {
    const ids: string[] = [];
    for (let shard = 0; shard < given.number(1); shard += 1) {
      const ahead = [...tx.scan(tableOf(tx.tables))]
        .filter(([, row]) => row.shard === shard && row.id > given.text(2))
        .map(([, row]) => row.id)
        .sort()[given.number(3)];
      if (ahead !== undefined) ids.push(ahead);
    }
    return ids
      .sort()
      .slice(0, 1)
      .map((id) => ({ id }));
  },
});

export const snapshotHandlers: Handlers = {
  snapshot_end_keys: endOf((tables) => tables.keys),
  snapshot_end_owners: endOf((tables) => tables.owners),
  snapshot_end_keyspaces: endOf((tables) => tables.keyspaces),
  snapshot_keys: page(keyLines),
  snapshot_owners: page(ownerLines),
  snapshot_keyspaces: page(keyspaceLines),
  snapshot_versions: page(versionLines),
};
