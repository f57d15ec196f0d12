import { at, type Params } from '../params.ts';
import { lockName, type SimTransaction } from '../sim-transaction.ts';
import { rowName } from '../tables.ts';
import type { Handlers, Row } from './handler.ts';

const headLock = (tx: SimTransaction, shard: number): string => lockName(tx.tables.heads, rowName(shard));

function append(tx: SimTransaction, given: Params): readonly Row[] {
  const [shard, seq, count, epoch] = [1, 2, 3, 4].map((place) => given.number(place)) as [
    number,
    number,
    number,
    number,
  ];
  const head = tx.get(tx.tables.heads, rowName(shard));
  if (head === undefined || head.epoch !== epoch || head.seq !== seq || head.hashHex !== given.text(5))
    return [];
  tx.put(tx.tables.heads, rowName(shard), { ...head, seq: seq + count, hashHex: given.text(11) });
  const day = given.text(6).slice(0, 10);
  const [types, bodies] = [given.texts(8), given.text(9).split('\n')];
  const [records, hashes] = [given.text(10).split('\n'), given.texts(12)];
  for (let nth = 1; nth <= count; nth += 1) {
    const name = rowName(shard, seq + nth);
    const body = at(bodies, nth - 1);
    tx.put(tx.tables.feed, name, { shard, seq: seq + nth, day, type: at(types, nth - 1), body });
    tx.put(tx.tables.audit, name, {
      shard,
      seq: seq + nth,
      body: at(records, nth - 1),
      hashHex: at(hashes, nth - 1),
    });
  }
  return [{ shard }];
}

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

export const feedHandlers: Handlers = {
  append_feed: { locks: (tx, given) => [headLock(tx, given.number(1))], run: append },
  read_now: { run: (_tx, _given, nowMs) => [{ now_ms: nowMs }] },
  lock_head: {
    locks: (tx, given) => [headLock(tx, given.number(1))],
    run(tx, given) {
      const head = tx.get(tx.tables.heads, rowName(given.number(1)));
      return head === undefined ? [] : [{ epoch: head.epoch, seq: head.seq, audit_hash: head.hashHex }];
    },
  },
  read_heads: {
    run: (tx, _given, nowMs) =>
      [...tx.scan(tx.tables.heads)]
        .map(([, { shard, epoch, seq }]) => ({ shard, epoch, seq, now_ms: nowMs }))
        .sort((a, b) => a.shard - b.shard),
  },
  read_feed: {
    run(tx, given) {
      const rows: Row[] = [];
      for (let seq = given.number(2) + 1; seq <= given.number(3); seq += 1) {
        const row = tx.get(tx.tables.feed, rowName(given.number(1), seq));
        if (row !== undefined) rows.push({ seq, body: JSON.parse(row.body) as unknown });
        if (rows.length === given.number(4)) break;
      }
      return rows;
    },
  },
  find_audit_hash: {
    run(tx, given) {
      const row = tx.get(tx.tables.audit, rowName(given.number(1), given.number(2)));
      return row === undefined ? [] : [{ hash: row.hashHex }];
    },
  },
  audit_head: {
    run(tx, given) {
      const head = tx.get(tx.tables.heads, rowName(given.number(1)));
      return head === undefined ? [] : [{ seq: head.seq, audit_hash: bytesOf(head.hashHex) }];
    },
  },
  audit_records: {
    run(tx, given) {
      const rows: Row[] = [];
      for (let seq = given.number(2) + 1; seq <= given.number(3); seq += 1) {
        const row = tx.get(tx.tables.audit, rowName(given.number(1), seq));
        if (row !== undefined) rows.push({ seq, body: row.body, hash: bytesOf(row.hashHex) });
        if (rows.length === given.number(4)) break;
      }
      return rows;
    },
  },
};
