import {
  Fault,
  isBuiltinKeyspace,
  type KeyId,
  type KeyRecord,
  type UpdateKey,
  updateKey,
} from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { isNoLater, mayGrant, refuseEscalation, refuseOutliving } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { changeKey, findKey, type PlacedKey } from './change-key.ts';

/** Changes what the patch names, of the revision that the caller has seen if it says which. */
export async function updateOneKey(
  ports: UseCasePorts,
  caller: Caller,
  wish: { readonly id: KeyId; readonly patch: UpdateKey; readonly ifRevision?: number | undefined },
): Promise<PlacedKey> {
  const found = await findKey(ports, caller, wish.id, 'keys:update');
  const { patch, ifRevision } = wish;
  const { reply: key, at } = await changeKey<KeyRecord>(ports, caller, found, {
    event: 'key.updated',
    // A PATCH says what shall be; sent twice it says the same, and a revision guards against what came between.
    idempotency: undefined,
    decide({ key, keyspace, nowMs }) {
      if (ifRevision !== undefined && ifRevision !== key.revision) throw revisionMismatch(key);
      if (isBuiltinKeyspace(keyspace)) {
        refuseEscalation(caller, key.scopes);
        refuseEscalation(caller, patch.scopes ?? [], '/scopes');
      }
      const after = updateKey(key, keyspace, patch, nowMs);
      if (isBuiltinKeyspace(keyspace) && gains(key, after))
        refuseOutliving(caller, after.expiresAtMs, '/expires_at');
      return after;
    },
    data: (after) => ({
      changed: Object.entries(patch).flatMap(([name, value]) =>
        value === undefined ? [] : [eventName(name)],
      ),
      revision: after.revision,
    }),
    reply: (after) => after,
  });
  return { key, at };
}

/** Who only takes scopes or time away may do so however long the rest lasts. */
function gains(before: KeyRecord, after: KeyRecord): boolean {
  return !mayGrant(before.scopes, after.scopes) || !isNoLater(after.expiresAtMs, before.expiresAtMs);
}

function eventName(name: string): string {
  return name === 'expiresAtMs' ? 'expires_at' : name;
}

function revisionMismatch(key: KeyRecord): Fault {
  return new Fault('revision_mismatch', {
    detail: `The key is at revision ${key.revision}.`,
    field: '/if_revision',
    expected: String(key.revision),
    extra: { revision: key.revision },
  });
}
