import {
  assert,
  type KeyRecord,
  type KeyspaceId,
  type KeyspaceRecord,
  underKeyspace,
  underOwner,
  type WorkspaceId,
} from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Change } from '../lanes/lane-port.ts';
import type { KeyPlace } from '../storage/rotations-port.ts';
import { keyEventData } from './key-terms.ts';

export interface ManyKeys<Place extends KeyPlace> {
  readonly shard: number;
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId;
  /** All of that shard and keyspace, as many as one batch of a lane holds at the most. */
  readonly keys: readonly Place[];
  readonly event: Change['event'];
  /** By whom, for the audit record: the house itself has no key. */
  readonly by: string;
  /** The record as it will be; undefined: it stays as it is. */
  decide(key: KeyRecord, place: Place, keyspace: KeyspaceRecord, nowMs: number): KeyRecord | undefined;
  readonly data: (after: KeyRecord) => Readonly<Record<string, unknown>>;
}

/** Changes many keys by one write of their lane, each decided on as it is then; returns those that were changed. */
export async function changeManyKeys<Place extends KeyPlace>(
  ports: Pick<UseCasePorts, 'lanes'>,
  many: ManyKeys<Place>,
): Promise<readonly KeyRecord[]> {
  const { shard, workspaceId, keyspaceId, keys, event, by } = many;
  if (keys.length === 0) return [];
  const { reply } = await ports.lanes.submit<readonly KeyRecord[]>({
    shard,
    weight: keys.length,
    actor: { workspaceId, keyId: null, requestId: by },
    reads: {
      keys: keys.map(({ id }) => id),
      owners: [...new Set(keys.map(({ ownerId }) => ownerId))],
      keyspaces: [keyspaceId],
    },
    decide(view, nowMs) {
      const keyspace = view.keyspace(keyspaceId);
      assert(keyspace !== undefined, 'a keyspace stays');
      const changed = keys.flatMap((place) => {
        const stored = view.key(place.id);
        const owner = view.owner(place.ownerId);
        assert(stored !== undefined && owner !== undefined, 'a key that was found stays');
        const key = underKeyspace(underOwner(stored, owner.keysNotBeforeMs), keyspace.keysNotBeforeMs);
        const after = many.decide(key, place, keyspace, nowMs);
        return after === undefined ? [] : [after];
      });
      return {
        changes: changed.map((after) => ({
          kind: 'key' as const,
          event,
          after,
          data: keyEventData(after, null, many.data(after)),
        })),
        reply: changed,
      };
    },
  });
  return reply;
}
