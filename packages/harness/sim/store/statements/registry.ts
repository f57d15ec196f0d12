import { at, type Params } from '../params.ts';
import { lockName, type SimTransaction } from '../sim-transaction.ts';
import { rowName } from '../tables.ts';
import type { Handlers, Row } from './handler.ts';

const wantedMs = 2_000;

const verifierName = (given: Params, index: number): string =>
  rowName(
    0,
    given.text(1),
    at(given.textsOrNull(7), index) ?? '',
    at(given.texts(8), index),
    at(given.texts(9), index),
  );

function write(tx: SimTransaction, given: Params, nowMs: number): readonly Row[] {
  const relayId = given.text(1);
  const known = tx.get(tx.tables.relays, rowName(0, relayId));
  tx.put(tx.tables.relays, rowName(0, relayId), {
    relay_id: relayId,
    name: known?.name ?? given.text(2),
    region: known === undefined ? given.textOrNull(3) : known.region,
    heads: JSON.parse(given.text(4)),
    lease_age_ms: given.numberOrNull(5),
    seen_at: Math.max(known?.seen_at ?? 0, nowMs),
    wanted_at: given.flag(6) ? nowMs : (known?.wanted_at ?? null),
  });
  const [names, regions, kinds] = [given.texts(10), given.textsOrNull(11), given.texts(12)];
  const [applied, ages, downstream] = [given.jsons(13), given.numbersOrNull(14), given.jsons(15)];
  const [active, silent, reaches] = [given.flags(16), given.numbers(17), given.jsons(18)];
  for (const [index, credential] of given.texts(8).entries()) {
    const name = verifierName(given, index);
    tx.put(tx.tables.verifiers, name, {
      relay_id: relayId,
      workspace_id: at(given.textsOrNull(7), index) ?? '',
      credential_id: credential,
      verifier_id: at(given.texts(9), index),
      name: at(names, index),
      region: at(regions, index),
      kind: at(kinds, index),
      applied: at(applied, index),
      lease_age_ms: at(ages, index),
      downstream: at(downstream, index),
      active: at(active, index),
      reach: at(reaches, index),
      seen_at: Math.max(tx.get(tx.tables.verifiers, name)?.seen_at ?? 0, nowMs - at(silent, index)),
    });
  }
  const isWanted = [...tx.scan(tx.tables.relays)].some(
    ([, row]) => row.relay_id !== relayId && row.wanted_at !== null && row.wanted_at > nowMs - wantedMs,
  );
  return [{ wanted: isWanted }];
}

/** Null: of a server that knew of no reach, and counts for all. */
function mayRead(reach: unknown, keyspace: string): boolean {
  const { keyspaces, without } = (reach ?? {}) as {
    readonly keyspaces?: readonly string[];
    readonly without?: readonly string[];
  };
  return keyspaces?.includes(keyspace) !== false && without?.includes(keyspace) !== true;
}

function read(tx: SimTransaction, given: Params, nowMs: number): readonly Row[] {
  const workspaces = given.texts(1);
  const keyspace = given.textOrNull(3);
  const verifiers = [...tx.scan(tx.tables.verifiers)].map(([, row]) => row);
  const relays = [...tx.scan(tx.tables.relays)].map(([, row]) => row);
  return relays
    .sort((a, b) => (a.relay_id < b.relay_id ? -1 : 1))
    .flatMap((relay): readonly Row[] => {
      const common = {
        relay_id: relay.relay_id,
        relay_name: relay.name,
        relay_region: relay.region,
        heads: relay.heads,
        relay_lease_age_ms: relay.lease_age_ms,
        relay_silent_ms: nowMs - relay.seen_at,
        now_ms: nowMs,
      };
      const own = verifiers
        .filter((row) => row.relay_id === relay.relay_id && workspaces.includes(row.workspace_id))
        .filter((row) => keyspace === null || mayRead(row.reach, keyspace))
        .sort((a, b) => (`${a.name} ${a.verifier_id}` < `${b.name} ${b.verifier_id}` ? -1 : 1))
        .map((row) => ({ ...row, ...common, silent_ms: nowMs - row.seen_at }));
      return own.length === 0 ? [{ ...common, workspace_id: null }] : own;
    })
    .slice(0, given.number(2));
}

export const registryHandlers: Handlers = {
  write_registry: {
    locks: (tx, given) => [
      lockName(tx.tables.relays, rowName(0, given.text(1))),
      ...given.texts(8).map((_, index) => lockName(tx.tables.verifiers, verifierName(given, index))),
    ],
    run: write,
  },
  read_registry: { run: read },
  sweep_verifiers: {
    run(tx, given, nowMs) {
      const isOld = (seenAt: number) => seenAt < nowMs - given.number(1);
      for (const [name, row] of [...tx.scan(tx.tables.verifiers)]) {
        const relay = tx.get(tx.tables.relays, rowName(0, row.relay_id));
        const isSpoken = row.active && relay !== undefined && !isOld(relay.seen_at);
        if (isOld(row.seen_at) && !isSpoken) tx.put(tx.tables.verifiers, name, undefined);
      }
      return [];
    },
  },
  sweep_relays: {
    run(tx, given, nowMs) {
      for (const [name, row] of [...tx.scan(tx.tables.relays)])
        if (row.seen_at < nowMs - given.number(1)) tx.put(tx.tables.relays, name, undefined);
      return [];
    },
  },
};
