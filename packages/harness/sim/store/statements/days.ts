import { SqlError, sqlstates } from '@keyswarm/server/rooms/storage/sql-error';
import type { Statement } from '@keyswarm/server/rooms/storage/store';
import type { Params } from '../params.ts';
import { lockName, type SimTransaction } from '../sim-transaction.ts';
import { rowName } from '../tables.ts';
import type { Handler, Row } from './handler.ts';

/*
 * Statements without a name: the making of a store, its epochs, and the days of the feed. They are told apart by the
 * beginning of their text.
 */

const daysLock = (tx: SimTransaction): readonly string[] => [lockName(tx.tables.days, 'all')];

const dayOf = (statement: Statement): string => {
  const digits = /feed_(\d{4})(\d\d)(\d\d)/.exec(statement.text);
  return `${digits?.[1]}-${digits?.[2]}-${digits?.[3]}`;
};

function deleteDay(tx: SimTransaction, isMeant: (day: string) => boolean): readonly Row[] {
  for (const [name, row] of [...tx.scan(tx.tables.feed)])
    if (isMeant(row.day)) tx.put(tx.tables.feed, name, undefined);
  return [];
}

const unnamed: readonly (readonly [text: RegExp, handler: Handler])[] = [
  [
    /^insert into settings/,
    {
      locks: (tx) => [lockName(tx.tables.settings, '0')],
      run(tx, given) {
        if (tx.get(tx.tables.settings, '0') !== undefined) return [];
        tx.put(tx.tables.settings, '0', { shards: given.number(1) });
        return [{ shards: given.number(1) }];
      },
    },
  ],
  [
    /^select shards from settings/,
    { run: (tx) => [tx.get(tx.tables.settings, '0')].filter((row) => row !== undefined) },
  ],
  [
    /^insert into feed_heads/,
    {
      run(tx, given) {
        for (let shard = 0; shard < given.number(1); shard += 1) {
          if (tx.get(tx.tables.heads, rowName(shard)) !== undefined) continue;
          tx.put(tx.tables.heads, rowName(shard), { shard, epoch: 1, seq: 0, hashHex: '00'.repeat(32) });
        }
        return [];
      },
    },
  ],
  [
    /^with next as/,
    {
      locks: (tx) => [...tx.scan(tx.tables.heads)].map(([name]) => lockName(tx.tables.heads, name)),
      run(tx, _given, nowMs) {
        const heads = [...tx.scan(tx.tables.heads)];
        const last = Math.max(...heads.map(([, head]) => head.epoch));
        const epoch = Math.max(last + 1, Math.floor(nowMs / 1000));
        for (const [name, head] of heads) tx.put(tx.tables.heads, name, { ...head, epoch });
        return heads.map(() => ({ epoch }));
      },
    },
  ],
  [
    /^select c.relname/,
    {
      run: (tx) =>
        [...tx.scan(tx.tables.days)].map(([, day]) => ({ name: `feed_${day.replaceAll('-', '')}` })).sort(),
    },
  ],
  [/^select set_config/, { run: () => [] }],
  [
    /^select 1 as begun/,
    {
      run: (tx: SimTransaction, given: Params) =>
        [...tx.scan(tx.tables.feed)].some(([, row]) => row.day === given.text(1)) ? [{ begun: 1 }] : [],
    },
  ],
  [/^create table feed_/, { locks: daysLock, run: () => [] }],
  [
    /^alter table feed attach/,
    {
      locks: daysLock,
      run(tx, _given, _nowMs, statement) {
        const day = dayOf(statement);
        if (tx.get(tx.tables.days, day) !== undefined)
          throw new SqlError({ sqlstate: sqlstates.duplicateTable, statement: 'simulated' });
        tx.put(tx.tables.days, day, day);
        return [];
      },
    },
  ],
  [
    /^drop table feed_/,
    {
      locks: daysLock,
      run(tx, _given, _nowMs, statement) {
        const day = dayOf(statement);
        if (tx.get(tx.tables.days, day) === undefined)
          throw new SqlError({ sqlstate: sqlstates.undefinedTable, statement: 'simulated' });
        tx.put(tx.tables.days, day, undefined);
        return deleteDay(tx, (each) => each === day);
      },
    },
  ],
  [
    /^delete from feed_default/,
    {
      run: (tx, given) =>
        deleteDay(tx, (day) => day < given.text(1) && tx.get(tx.tables.days, day) === undefined),
    },
  ],
];

export function unnamedHandler({ text }: Statement): Handler | undefined {
  return unnamed.find(([pattern]) => pattern.test(text.trimStart()))?.[1];
}
