import { type DocumentId, shardOfId, uuidHexOf } from '@keyswarm/core';
import type { DocumentRemoval } from '../removal-port.ts';
import type { Store } from '../store.ts';
import { instantText } from './instant-text.ts';

const removeDocumentsStatement = {
  name: 'remove_documents',
  text: `
    delete from documents d
    where d.shard = $1::smallint and d.id = any($2::uuid[]) and d.updated_at < $3::timestamptz
    returning d.id`,
};

/** A webhook has a place in the feed of every shard. */
const removeCursorsStatement = {
  name: 'remove_webhook_cursors',
  text: 'delete from webhook_cursors where webhook_id = any($1::uuid[])',
};

/** One transaction a shard: what is left of a sweep that breaks off is found by the next. */
export function createDocumentRemoval(store: Store, options: { readonly shards: number }): DocumentRemoval {
  return {
    async remove(ids, untouchedSinceMs) {
      let removed = 0;
      for (const [shard, group] of byShard(ids, options.shards)) {
        removed += await store.transaction(async (tx) => {
          const params = [shard, group.map(uuidHexOf), instantText(untouchedSinceMs)];
          const gone = await tx.query<{ id: string }>(removeDocumentsStatement, params);
          const isGone = new Set(gone.map(({ id }) => id));
          const webhooks = group.filter((id) => id.startsWith('wh_') && isGone.has(uuidHexOf(id)));
          if (webhooks.length > 0) await tx.query(removeCursorsStatement, [webhooks.map(uuidHexOf)]);
          return gone.length;
        });
      }
      return removed;
    },
  };
}

function byShard(ids: readonly DocumentId[], shards: number): ReadonlyMap<number, DocumentId[]> {
  const groups = new Map<number, DocumentId[]>();
  for (const id of ids) {
    const shard = shardOfId(id, shards);
    const group = groups.get(shard) ?? [];
    groups.set(shard, group);
    group.push(id);
  }
  return groups;
}
