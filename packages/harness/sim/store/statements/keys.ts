import type { KeyRow, VersionRow } from '@keyswarm/server/rooms/storage/statements/record-rows';
import { at, type Params } from '../params.ts';
import { lockName, type SimTransaction } from '../sim-transaction.ts';
import { type InShard, rowName } from '../tables.ts';
import { uniqueViolation } from '../violations.ts';
import type { Handlers, Row } from './handler.ts';

/** Versions that a key comes with. */
const newest = 3;

interface GivenVersion {
  readonly keyId: string;
  readonly row: VersionRow;
  readonly hex: string;
}

/** As `versionParams` puts them: places 2 to 7. */
function givenVersions(given: Params): readonly GivenVersion[] {
  const [numbers, hexes, states] = [given.numbers(3), given.texts(4), given.texts(5)];
  const [minted, retires] = [given.instants(6), given.instantsOrNull(7)];
  return given.texts(2).map((keyId, index) => ({
    keyId,
    hex: at(hexes, index),
    row: {
      key_id: keyId,
      number: at(numbers, index),
      fingerprint: Uint8Array.from(Buffer.from(at(hexes, index), 'hex')),
      state: at(states, index) as VersionRow['state'],
      minted_at: at(minted, index),
      retires_at: at(retires, index),
    },
  }));
}

function writeVersion(tx: SimTransaction, shard: number, { keyId, row, hex }: GivenVersion): void {
  const { fingerprints, versions } = tx.tables;
  const of = `${keyId}#${row.number}`;
  const taken = tx.get(fingerprints, rowName(shard, hex));
  if (taken !== undefined && taken !== of) throw uniqueViolation('key_versions_fingerprint_unique');
  tx.put(fingerprints, rowName(shard, hex), of);
  const name = rowName(shard, keyId);
  const others = (tx.get(versions, name) ?? []).filter((other) => other.number !== row.number);
  tx.put(
    versions,
    name,
    [...others, row].sort((a, b) => a.number - b.number),
  );
}

const insertedKeys = (given: Params): readonly InShard<KeyRow>[] => {
  const lists = [9, 10, 11, 12, 13, 15, 20].map((place) => given.textsOrNull(place));
  const [workspaces, keyspaces, owners, names, scopes, states, reasons] = lists;
  const [metadata, traits, revisions] = [given.jsons(14), given.jsons(21), given.numbers(22)];
  const [begins, ends, made, revoked] = [16, 17, 18, 19].map((place) => given.instantsOrNull(place));
  return given.texts(8).map((id, index) => ({
    shard: given.number(1),
    id,
    workspace_id: at(workspaces ?? [], index) ?? '',
    keyspace_id: at(keyspaces ?? [], index) ?? '',
    owner_id: at(owners ?? [], index) ?? '',
    name: at(names ?? [], index) ?? '',
    scopes: (at(scopes ?? [], index) ?? '').split(' '),
    metadata: at(metadata, index) as KeyRow['metadata'],
    state: at(states ?? [], index) as KeyRow['state'],
    not_before: at(begins ?? [], index),
    expires_at: at(ends ?? [], index),
    created_at: at(made ?? [], index) ?? 0,
    revoked_at: at(revoked ?? [], index),
    revoke_reason: at(reasons ?? [], index),
    traits: at(traits, index) as KeyRow['traits'],
    revision: at(revisions, index),
  }));
};

function updatedKeys(tx: SimTransaction, given: Params): readonly Row[] {
  const shard = given.number(1);
  const lists = [9, 10, 12, 16].map((place) => given.textsOrNull(place));
  const [names, scopes, states, reasons] = lists;
  const [metadata, traits] = [given.jsons(11), given.jsons(17)];
  const [begins, ends, revoked] = [13, 14, 15].map((place) => given.instantsOrNull(place));
  const [revisions, expected] = [given.numbers(18), given.numbers(19)];
  for (const version of givenVersions(given)) writeVersion(tx, shard, version);
  return given.texts(8).flatMap((id, index) => {
    const row = tx.get(tx.tables.keys, rowName(shard, id));
    if (row === undefined || row.revision !== at(expected, index)) return [];
    tx.put(tx.tables.keys, rowName(shard, id), {
      ...row,
      name: at(names ?? [], index) ?? '',
      scopes: (at(scopes ?? [], index) ?? '').split(' '),
      metadata: at(metadata, index) as KeyRow['metadata'],
      state: at(states ?? [], index) as KeyRow['state'],
      not_before: at(begins ?? [], index),
      expires_at: at(ends ?? [], index),
      revoked_at: at(revoked ?? [], index),
      revoke_reason: at(reasons ?? [], index),
      traits: at(traits, index) as KeyRow['traits'],
      revision: at(revisions, index),
    });
    return [{ id }];
  });
}

/** A key as it is read without a lock: its versions in cells, and the watermarks of its house. */
export function keyWithVersions(tx: SimTransaction, key: InShard<KeyRow>, shards: number): Row {
  const { owners, keyspaces, versions } = tx.tables;
  const shardOf = (id: string) => Number.parseInt(id.slice(-2), 16) % shards;
  const all = tx.get(versions, rowName(key.shard, key.id)) ?? [];
  return {
    ...key,
    versions: all
      .slice(-newest)
      .map((row) => [
        row.number,
        Buffer.from(row.fingerprint).toString('hex'),
        row.state,
        row.minted_at,
        row.retires_at,
      ]),
    owner_keys_not_before:
      tx.get(owners, rowName(shardOf(key.owner_id), key.owner_id))?.keys_not_before ?? null,
    keyspace_keys_not_before:
      tx.get(keyspaces, rowName(shardOf(key.keyspace_id), key.keyspace_id))?.keys_not_before ?? null,
  };
}

type KeyTest = (key: InShard<KeyRow>, given: Params) => boolean;

/** A page by id; a filter by state is not simulated. */
function list(isMeant: KeyTest) {
  return {
    run(tx: SimTransaction, given: Params): readonly Row[] {
      if (given.textOrNull(5) !== null) throw new Error('a list of keys by state is not simulated');
      return [...tx.scan(tx.tables.keys)]
        .map(([, key]) => key)
        .filter((key) => key.workspace_id === given.text(2) && key.id > given.text(3) && isMeant(key, given))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, given.number(4))
        .map((key) => keyWithVersions(tx, key, given.number(1)));
    },
  };
}

export const keyHandlers: Handlers = {
  lock_keys: {
    locks: (tx, given) =>
      [...given.texts(2)]
        .sort()
        .map((id) => rowName(given.number(1), id))
        .filter((name) => tx.get(tx.tables.keys, name) !== undefined)
        .map((name) => lockName(tx.tables.keys, name)),
    run: (tx, given) =>
      [...given.texts(2)].sort().flatMap((id) => tx.get(tx.tables.keys, rowName(given.number(1), id)) ?? []),
  },
  read_versions: {
    run: (tx, given) =>
      given
        .texts(2)
        .flatMap((id) => (tx.get(tx.tables.versions, rowName(given.number(1), id)) ?? []).slice(-newest)),
  },
  find_fingerprints: {
    run: (tx, given) =>
      given
        .texts(2)
        .filter((hex) => tx.get(tx.tables.fingerprints, rowName(given.number(1), hex)) !== undefined)
        .map((fingerprint) => ({ fingerprint })),
  },
  insert_keys: {
    locks: (tx, given) => [
      ...given.texts(4).map((hex) => lockName(tx.tables.fingerprints, rowName(given.number(1), hex))),
      ...given.texts(8).map((id) => lockName(tx.tables.keys, rowName(given.number(1), id))),
    ],
    run(tx, given) {
      for (const version of givenVersions(given)) writeVersion(tx, given.number(1), version);
      for (const key of insertedKeys(given)) {
        const name = rowName(key.shard, key.id);
        if (tx.get(tx.tables.keys, name) !== undefined) throw uniqueViolation('keys_pkey');
        tx.put(tx.tables.keys, name, key);
      }
      return [];
    },
  },
  update_keys: {
    locks: (tx, given) => given.texts(8).map((id) => lockName(tx.tables.keys, rowName(given.number(1), id))),
    run: updatedKeys,
  },
  read_key: {
    run(tx, given) {
      const key = tx.get(tx.tables.keys, rowName(given.number(1), given.text(2)));
      return key?.workspace_id === given.text(3) ? [keyWithVersions(tx, key, given.number(4))] : [];
    },
  },
  list_keys: list(() => true),
  list_keys_of_keyspace: list((key, given) => key.keyspace_id === given.text(7)),
  list_keys_of_owner: list((key, given) => key.owner_id === given.text(7)),
  list_keys_of_owner_in_keyspace: list(
    (key, given) => key.owner_id === given.text(7) && key.keyspace_id === given.text(8),
  ),
};
