import { at, type Params } from '../params.ts';
import { lockName, type SimTransaction } from '../sim-transaction.ts';
import { rowName, type UseRow } from '../tables.ts';
import type { Handlers, Row } from './handler.ts';

/* Uses of versions, and what is read of rotations under way. */

const useName = (given: Params, index: number): string =>
  rowName(at(given.numbers(1), index), at(given.texts(2), index), at(given.numbers(3), index));

function writeUses(tx: SimTransaction, given: Params, nowMs: number): readonly Row[] {
  const [keyspaces, workspaces] = [given.texts(4), given.textsOrNull(5)];
  const [firsts, lasts] = [given.instants(6), given.instants(7)];
  const told = new Map<string, UseRow & { readonly minted: number; readonly isFirst: boolean }>();
  for (const [index, shard] of given.numbers(1).entries()) {
    const id = at(given.texts(2), index);
    const key = tx.get(tx.tables.keys, rowName(shard, id));
    const workspace = at(workspaces, index);
    if (key === undefined || key.keyspace_id !== at(keyspaces, index)) continue;
    if (workspace !== null && workspace !== key.workspace_id) continue;
    const number = at(given.numbers(3), index);
    const version = (tx.get(tx.tables.versions, rowName(shard, id)) ?? []).find(
      (each) => each.number === number,
    );
    if (version === undefined) continue;
    const name = useName(given, index);
    const known = told.get(name);
    const within = (ms: number) => Math.max(version.minted_at, Math.min(ms, nowMs));
    told.set(name, {
      first_used_at: Math.min(within(at(firsts, index)), known?.first_used_at ?? Number.POSITIVE_INFINITY),
      last_used_at: Math.max(within(at(lasts, index)), known?.last_used_at ?? 0),
      minted: version.minted_at,
      isFirst: number > 1 && version.state === 'active' && tx.get(tx.tables.uses, name) === undefined,
    });
  }
  for (const [name, use] of told) {
    const known = tx.get(tx.tables.uses, name);
    tx.put(tx.tables.uses, name, {
      first_used_at: Math.min(use.first_used_at, known?.first_used_at ?? Number.POSITIVE_INFINITY),
      last_used_at: Math.max(use.last_used_at, known?.last_used_at ?? 0),
    });
  }
  return [...told.values()]
    .filter(({ isFirst }) => isFirst)
    .map(({ first_used_at: first, minted }) => ({ ms: first - minted }));
}

function settling(tx: SimTransaction, given: Params, nowMs: number): readonly Row[] {
  const shard = given.number(1);
  const [keyspaces, settle, silent] = [given.texts(5), given.numbers(6), given.numbers(7)];
  const after = `${String(given.instant(2)).padStart(16, '0')} ${given.text(3)}`;
  const graces = [...tx.scan(tx.tables.versions)]
    .filter(([name]) => name.startsWith(`${shard}/`))
    .flatMap(([, versions]) => versions)
    .filter(({ state, retires_at: ends }) => state === 'grace' && ends !== null && ends > nowMs)
    .map((version) => ({
      version,
      place: `${String(version.retires_at).padStart(16, '0')} ${version.key_id}`,
    }))
    .filter(({ place }) => place > after)
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .slice(0, given.number(4));
  return graces.map(({ version }) => {
    const id = version.key_id;
    const key = tx.get(tx.tables.keys, rowName(shard, id));
    const rule = keyspaces.indexOf(key?.keyspace_id ?? '');
    const newUse = tx.get(tx.tables.uses, rowName(shard, id, version.number + 1));
    const oldUse = tx.get(tx.tables.uses, rowName(shard, id, version.number));
    const isSettled =
      key !== undefined &&
      key.state !== 'revoked' &&
      rule !== -1 &&
      newUse !== undefined &&
      newUse.first_used_at <= nowMs - at(settle, rule) * 1000 &&
      (oldUse === undefined || oldUse.last_used_at <= nowMs - at(silent, rule) * 1000);
    return {
      key_id: id,
      retires_at: version.retires_at,
      owner_id: isSettled ? key.owner_id : null,
      keyspace_id: key?.keyspace_id,
      number: version.number + 1,
      first_used_at: newUse?.first_used_at,
      last_used_at: newUse?.last_used_at,
      old_number: oldUse === undefined ? null : version.number,
      old_first_used_at: oldUse?.first_used_at ?? null,
      old_last_used_at: oldUse?.last_used_at ?? null,
    };
  });
}

export const rotationHandlers: Handlers = {
  write_uses: {
    locks: (tx, given) =>
      given
        .numbers(1)
        .map((_, index) => lockName(tx.tables.uses, useName(given, index)))
        .sort(),
    run: writeUses,
  },
  read_lineage: {
    run(tx, given) {
      const [shard, id] = [given.number(1), given.text(2)];
      if (tx.get(tx.tables.keys, rowName(shard, id))?.workspace_id !== given.text(3)) return [];
      const before = given.numberOrNull(4);
      return [...(tx.get(tx.tables.versions, rowName(shard, id)) ?? [])]
        .filter(({ number }) => before === null || number < before)
        .reverse()
        .slice(0, given.number(5))
        .map((version) => {
          const use = tx.get(tx.tables.uses, rowName(shard, id, version.number));
          return {
            ...version,
            first_used_at: use?.first_used_at ?? null,
            last_used_at: use?.last_used_at ?? null,
          };
        });
    },
  },
  ruled_keyspaces: {
    run: (tx) =>
      [...tx.scan(tx.tables.keyspaces)]
        .map(([, row]) => row)
        .filter(
          ({ rules }) => rules?.rotate_after_seconds !== undefined || rules?.settle_seconds !== undefined,
        )
        .map(({ id, workspace_id, rules }) => ({
          id,
          workspace_id,
          rotate_after_seconds: rules?.rotate_after_seconds ?? null,
          settle_seconds: rules?.settle_seconds ?? null,
        })),
  },
  settling_keys: { run: settling },
};
