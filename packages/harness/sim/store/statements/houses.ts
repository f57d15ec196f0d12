import type { KeyspaceRow, OwnerRow } from '@keyswarm/server/rooms/storage/statements/record-rows';
import { at, type Params } from '../params.ts';
import { lockName, type SimTransaction } from '../sim-transaction.ts';
import { type InShard, rowName, type Table } from '../tables.ts';
import { uniqueViolation } from '../violations.ts';
import type { Handlers, Row } from './handler.ts';

/* Owners, keyspaces and workspaces: what keys live in. */

function ownersGiven(given: Params): readonly InShard<OwnerRow>[] {
  const [ids, workspaces, kinds, externals, states] = [2, 3, 4, 5, 6].map((place) => given.texts(place));
  const [watermarks, made, revisions] = [given.instantsOrNull(7), given.instants(8), given.numbers(9)];
  return given.numbers(1).map((shard, index) => ({
    shard,
    id: at(ids ?? [], index),
    workspace_id: at(workspaces ?? [], index),
    kind: at(kinds ?? [], index) as OwnerRow['kind'],
    external_id: at(externals ?? [], index),
    state: at(states ?? [], index) as OwnerRow['state'],
    keys_not_before: at(watermarks, index),
    created_at: at(made, index),
    revision: at(revisions, index),
  }));
}

function keyspacesGiven(given: Params): readonly InShard<KeyspaceRow>[] {
  const [ids, workspaces, names, prefixes, formats, scopes, states] = [2, 3, 4, 5, 6, 7, 13].map((place) =>
    given.texts(place),
  );
  const [ttls, ttlsMax, graces, leases] = [8, 9, 10, 11].map((place) => given.numbersOrNull(place));
  const [former, watermarks, made] = [12, 14, 15].map((place) => given.instantsOrNull(place));
  const [rules, revisions] = [given.jsons(16), given.numbers(17)];
  return given.numbers(1).map((shard, index) => ({
    shard,
    id: at(ids ?? [], index),
    workspace_id: at(workspaces ?? [], index),
    name: at(names ?? [], index),
    prefix: at(prefixes ?? [], index),
    format: at(formats ?? [], index) as KeyspaceRow['format'],
    allowed_scopes: at(scopes ?? [], index).split(' '),
    default_ttl_seconds: at(ttls ?? [], index),
    max_ttl_seconds: at(ttlsMax ?? [], index),
    max_grace_seconds: at(graces ?? [], index) ?? 0,
    lease_seconds: at(leases ?? [], index) ?? 0,
    former_lease_until: at(former ?? [], index),
    state: at(states ?? [], index) as KeyspaceRow['state'],
    keys_not_before: at(watermarks ?? [], index),
    created_at: at(made ?? [], index) ?? 0,
    rules: at(rules, index) as KeyspaceRow['rules'],
    revision: at(revisions, index),
  }));
}

function updateKeyspaces(tx: SimTransaction, given: Params): readonly Row[] {
  const [ids, scopes, states] = [2, 3, 9].map((place) => given.texts(place));
  const [ttls, ttlsMax, graces, leases] = [4, 5, 6, 7].map((place) => given.numbersOrNull(place));
  const [former, watermarks] = [8, 10].map((place) => given.instantsOrNull(place));
  const [rules, revisions, expected] = [given.jsons(11), given.numbers(12), given.numbers(13)];
  return given.numbers(1).flatMap((shard, index) => {
    const name = rowName(shard, at(ids ?? [], index));
    const row = tx.get(tx.tables.keyspaces, name);
    if (row === undefined || row.revision !== at(expected, index)) return [];
    tx.put(tx.tables.keyspaces, name, {
      ...row,
      allowed_scopes: at(scopes ?? [], index).split(' '),
      default_ttl_seconds: at(ttls ?? [], index),
      max_ttl_seconds: at(ttlsMax ?? [], index),
      max_grace_seconds: at(graces ?? [], index) ?? 0,
      lease_seconds: at(leases ?? [], index) ?? 0,
      former_lease_until: at(former ?? [], index),
      state: at(states ?? [], index) as KeyspaceRow['state'],
      keys_not_before: at(watermarks ?? [], index),
      rules: at(rules, index) as KeyspaceRow['rules'],
      revision: at(revisions, index),
    });
    return [{ id: row.id }];
  });
}

function updateOwners(tx: SimTransaction, given: Params): readonly Row[] {
  const [ids, states] = [given.texts(2), given.texts(3)];
  const [watermarks, revisions, expected] = [given.instantsOrNull(4), given.numbers(5), given.numbers(6)];
  return given.numbers(1).flatMap((shard, index) => {
    const name = rowName(shard, at(ids, index));
    const row = tx.get(tx.tables.owners, name);
    if (row === undefined || row.revision !== at(expected, index)) return [];
    tx.put(tx.tables.owners, name, {
      ...row,
      state: at(states, index) as OwnerRow['state'],
      keys_not_before: at(watermarks, index),
      revision: at(revisions, index),
    });
    return [{ id: row.id }];
  });
}

/** Rows named by two lists, shards and ids. */
const namesAt = (given: Params, shards: number, ids: number): readonly string[] => {
  const shardOf = given.numbers(shards);
  return given.texts(ids).map((id, index) => rowName(at(shardOf, index), id));
};

const locksOf = (table: Table<unknown>, names: readonly string[]): readonly string[] =>
  [...names].sort().map((name) => lockName(table, name));

const present = <Item>(tx: SimTransaction, table: Table<Item>, names: readonly string[]) =>
  names.filter((name) => tx.get(table, name) !== undefined);

const insertOwners = (isLenient: boolean) => ({
  locks: (tx: SimTransaction, given: Params) => locksOf(tx.tables.owners, namesAt(given, 1, 2)),
  run(tx: SimTransaction, given: Params): readonly Row[] {
    for (const owner of ownersGiven(given)) {
      const name = rowName(owner.shard, owner.id);
      const isThere = tx.get(tx.tables.owners, name) !== undefined;
      if (isThere && !isLenient) throw uniqueViolation('owners_pkey');
      if (!isThere) tx.put(tx.tables.owners, name, owner);
    }
    return [];
  },
});

const clockRow = (nowMs: number): Row => ({ what: 'clock', created_at: nowMs, now: nowMs });

export const houseHandlers: Handlers = {
  lock_owners: {
    locks: (tx, given) => locksOf(tx.tables.owners, present(tx, tx.tables.owners, namesAt(given, 1, 2))),
    run: (tx, given) => namesAt(given, 1, 2).flatMap((name) => tx.get(tx.tables.owners, name) ?? []),
  },
  lock_keyspaces: {
    locks: (tx, given) => {
      const names = given.texts(2).map((id) => rowName(given.number(1), id));
      return locksOf(tx.tables.keyspaces, present(tx, tx.tables.keyspaces, names));
    },
    run: (tx, given) =>
      given.texts(2).flatMap((id) => tx.get(tx.tables.keyspaces, rowName(given.number(1), id)) ?? []),
  },
  insert_owners: insertOwners(false),
  insert_owners_unless_known: insertOwners(true),
  update_owners: {
    locks: (tx, given) => locksOf(tx.tables.owners, namesAt(given, 1, 2)),
    run: updateOwners,
  },
  insert_keyspaces: {
    locks: (tx, given) => locksOf(tx.tables.keyspaces, namesAt(given, 1, 2)),
    run(tx, given) {
      for (const keyspace of keyspacesGiven(given)) {
        const isTaken = [...tx.scan(tx.tables.keyspaces)].some(
          ([, { workspace_id, name }]) => workspace_id === keyspace.workspace_id && name === keyspace.name,
        );
        if (isTaken) throw uniqueViolation('keyspaces_name_unique');
        tx.put(tx.tables.keyspaces, rowName(keyspace.shard, keyspace.id), keyspace);
      }
      return [];
    },
  },
  update_keyspaces: {
    locks: (tx, given) => locksOf(tx.tables.keyspaces, namesAt(given, 1, 2)),
    run: updateKeyspaces,
  },
  insert_workspaces: {
    locks: (tx, given) => locksOf(tx.tables.workspaces, namesAt(given, 1, 2)),
    run(tx, given) {
      for (const [index, name] of namesAt(given, 1, 2).entries()) {
        if (tx.get(tx.tables.workspaces, name) !== undefined) continue;
        tx.put(tx.tables.workspaces, name, {
          id: at(given.texts(2), index),
          name: at(given.texts(3), index),
        });
      }
      return [];
    },
  },
  read_references: {
    run: (tx, given, nowMs) => [
      clockRow(nowMs),
      ...namesAt(given, 1, 2)
        .flatMap((name) => tx.get(tx.tables.owners, name) ?? [])
        .map((owner) => ({ what: 'owner', ...owner })),
      ...namesAt(given, 3, 4)
        .flatMap((name) => tx.get(tx.tables.keyspaces, name) ?? [])
        .map((keyspace) => ({ what: 'keyspace', ...keyspace })),
    ],
  },
  read_leases: {
    run(tx, given, nowMs) {
      const leaseOf = (what: string, id: string, rows: readonly KeyspaceRow[]): readonly Row[] =>
        rows.length === 0
          ? []
          : [
              {
                what,
                id,
                lease_seconds: Math.max(...rows.map((row) => row.lease_seconds)),
                former_lease_until: rows.reduce<number | null>(
                  (last, { former_lease_until: until }) =>
                    until === null ? last : Math.max(last ?? 0, until),
                  null,
                ),
              },
            ];
      const all = [...tx.scan(tx.tables.keyspaces)].map(([, row]) => row);
      return [
        clockRow(nowMs),
        ...given.texts(3).flatMap((id) =>
          leaseOf(
            'keyspace',
            id,
            all.filter((row) => row.id === id),
          ),
        ),
        ...given.texts(4).flatMap((id) =>
          leaseOf(
            'workspace',
            id,
            all.filter((row) => row.workspace_id === id),
          ),
        ),
      ];
    },
  },
  find_keyspace: {
    run: (tx, given) =>
      [...tx.scan(tx.tables.keyspaces)]
        .map(([, row]) => row)
        .filter((row) => row.workspace_id === given.text(2) && row.name === given.text(3)),
  },
  list_keyspaces: {
    run: (tx, given) =>
      [...tx.scan(tx.tables.keyspaces)]
        .map(([, row]) => row)
        .filter((row) => row.workspace_id === given.text(2) && row.id > given.text(3))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, given.number(4)),
  },
};
