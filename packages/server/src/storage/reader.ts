import { readEventPage } from './reader-events.ts';
import type { Reader } from './reader-port.ts';
import {
  countAskedKeys,
  countCampaignKeys,
  selectAskedKeys,
  selectCampaignKeys,
} from './statements/campaign-keys.ts';
import { listDocuments, readDocument } from './statements/documents.ts';
import { readEndingKeys } from './statements/ending-keys.ts';
import { findKeyspace, listKeyspaces } from './statements/list-keyspaces.ts';
import { listOwners } from './statements/list-owners.ts';
import { readHeads } from './statements/read-heads.ts';
import { listKeys, readKey } from './statements/read-keys.ts';
import { readLeases } from './statements/read-leases.ts';
import { readLineage } from './statements/read-lineage.ts';
import { readReferences } from './statements/read-references.ts';
import { readTokenPlaces } from './statements/read-token-places.ts';
import type { Store } from './store.ts';

/**
 * The read port over SQL, the same on every engine. Each call is one statement, so what it gives is of one
 * instant. What belongs to another workspace is not found, exactly as if it did not exist.
 */
export function createReader(store: Store, options: { readonly shards: number }): Reader {
  const { shards } = options;
  return {
    key: (workspaceId, id) => readKey(store, workspaceId, id, shards),

    keys(workspaceId, filter, page, nowMs) {
      const { keyspaceId, ownerId, enrolledBy, state } = filter;
      const { after, limit } = page;
      const list = { workspaceId, keyspaceId, ownerId, enrolledBy, state, after, limit, nowMs };
      return listKeys(store, list, shards);
    },

    lineage: (workspaceId, keyId, { before, limit }) =>
      readLineage(store, { workspaceId, keyId, before, limit }, shards),

    async owner(workspaceId, id) {
      const { owners } = await readReferences(store, { owners: [id], keyspaces: [] }, shards);
      const owner = owners[0];
      return owner?.workspaceId === workspaceId ? owner : undefined;
    },

    owners(workspaceId, filter, page) {
      const { kind, externalId } = filter;
      return listOwners(
        store,
        { workspaceId, kind, externalId, after: page.after, limit: page.limit },
        shards,
      );
    },

    async keyspace(workspaceId, id) {
      const { keyspaces } = await readReferences(store, { owners: [], keyspaces: [id] }, shards);
      const keyspace = keyspaces[0];
      return keyspace?.workspaceId === workspaceId ? keyspace : undefined;
    },

    async suspended(among) {
      const { owners, keyspaces } = await readReferences(store, among, shards);
      const held = [...owners, ...keyspaces].filter(({ state }) => state === 'suspended');
      return new Set(held.map(({ id }) => id));
    },

    keyspaceByName: (workspaceId, name) => findKeyspace(store, workspaceId, name, shards),

    keyspaces(workspaceId, page) {
      return listKeyspaces(store, { workspaceId, after: page.after, limit: page.limit }, shards);
    },

    document: (id) => readDocument(store, id, shards),

    tokenPlaces: (wanted) => readTokenPlaces(store, wanted, shards),

    documents: (list) => listDocuments(store, list, shards),

    leases: (wanted) => readLeases(store, wanted, shards),

    async heads() {
      const rows = await readHeads(store);
      return { epoch: rows[0]?.epoch ?? 0, seqs: rows.map(({ seq }) => seq) };
    },
    campaignKeys: (wish) => selectCampaignKeys(store, wish),

    countCampaignKeys: (wish) => countCampaignKeys(store, wish),

    askedKeys: (wish) => selectAskedKeys(store, wish),

    countAskedKeys: (wish) => countAskedKeys(store, wish, shards),

    endingKeys: (wish) => readEndingKeys(store, wish),

    events: (workspaceId, query) => readEventPage(store, shards, workspaceId, query),
  };
}
