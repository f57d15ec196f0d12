import { at } from '../params.ts';
import { lockName } from '../sim-transaction.ts';
import { rowName } from '../tables.ts';
import type { Handlers } from './handler.ts';

export const replyHandlers: Handlers = {
  find_idempotency: {
    run: (tx, given, nowMs) =>
      given.texts(2).flatMap((hash, index) => {
        const row = tx.get(tx.tables.replies, rowName(at(given.numbers(1), index), hash));
        if (row === undefined || row.expiresAtMs <= nowMs) return [];
        const reply = Uint8Array.from(Buffer.from(row.replyHex, 'hex'));
        return [{ key_hash: row.keyHashHex, request_hash: row.requestHashHex, reply }];
      }),
  },
  insert_idempotency: {
    locks: (tx, given) =>
      given
        .texts(2)
        .map((hash, index) => lockName(tx.tables.replies, rowName(at(given.numbers(1), index), hash)))
        .sort(),
    run(tx, given) {
      const [hashes, requests, replies] = [given.texts(2), given.texts(3), given.texts(4)];
      return given.numbers(1).flatMap((shard, index) => {
        const name = rowName(shard, at(hashes, index));
        const known = tx.get(tx.tables.replies, name);
        if (known !== undefined && known.expiresAtMs > given.instant(5)) return [];
        tx.put(tx.tables.replies, name, {
          keyHashHex: at(hashes, index),
          requestHashHex: at(requests, index),
          replyHex: at(replies, index),
          expiresAtMs: given.instant(6),
        });
        return [{ shard }];
      });
    },
  },
  replace_replies: {
    run(tx, given) {
      const [hashes, replies] = [given.texts(2), given.texts(3)];
      for (const [index, shard] of given.numbers(1).entries()) {
        const name = rowName(shard, at(hashes, index));
        const known = tx.get(tx.tables.replies, name);
        if (known !== undefined) tx.put(tx.tables.replies, name, { ...known, replyHex: at(replies, index) });
      }
      return [];
    },
  },
  sweep_idempotency: {
    run(tx, given) {
      const old = [...tx.scan(tx.tables.replies)]
        .filter(
          ([name, row]) => name.startsWith(`${given.number(1)}/`) && row.expiresAtMs <= given.instant(2),
        )
        .slice(0, given.number(3));
      for (const [name] of old) tx.put(tx.tables.replies, name, undefined);
      return old.map(() => ({ swept: 1 }));
    },
  },
};
