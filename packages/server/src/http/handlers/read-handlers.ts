import {
  decodeEventsCursor,
  decodeIdCursor,
  encodeEventsCursor,
  encodeIdCursor,
  eventTypesOf,
  eventView,
  keyspaceView,
  keyView,
  ownerView,
  pageLimitOf,
  rotationView,
} from '@keyswarm/contract';
import type { IdKind, IdKinds, KeyId, OwnerId } from '@keyswarm/core';
import { listEvents } from '../../events/list-events.ts';
import { getOneKey, listKeys, suspendedAbove } from '../../keys/read-keys.ts';
import { readRotation } from '../../keys/read-rotation.ts';
import { getOneKeyspace, listKeyspaces } from '../../keyspaces/read-keyspaces.ts';
import { getOneOwner, listOwners } from '../../owners/read-owners.ts';
import type { HandlerServices, Handlers } from '../handler.ts';

type Reads =
  | 'getKey'
  | 'getRotation'
  | 'listKeys'
  | 'getKeyspace'
  | 'listKeyspaces'
  | 'getOwner'
  | 'listOwners'
  | 'listEvents';

/** The operations that only look. */
export function readHandlers({ ports }: HandlerServices): Handlers<Reads> {
  return {
    async getKey({ params, caller }) {
      const { key, suspended } = await getOneKey(ports, caller, params.id as KeyId);
      return keyView(key, ports.clock.nowMs(), suspended);
    },

    async getRotation({ params, query, caller }) {
      const before = query.before === undefined ? undefined : versionOf(query.before);
      const { refusal, ...found } = await readRotation(ports, caller, { id: params.id as KeyId, before });
      const told = refusal === undefined ? undefined : { code: refusal.code, detail: refusal.message };
      return rotationView({ ...found, refusal: told }, ports.clock.nowMs());
    },

    async listKeys({ query, caller }) {
      const wish = {
        keyspace: query.keyspace,
        ownerId: query.owner as OwnerId | undefined,
        enrolledBy: query.parent as KeyId | undefined,
        state: query.state,
        after: afterOf('key', query.cursor),
        limit: pageLimitOf(query.limit),
      };
      const { keys, next } = await listKeys(ports, caller, wish);
      const nowMs = ports.clock.nowMs();
      const suspended = await suspendedAbove(ports, keys);
      return { items: keys.map((key) => keyView(key, nowMs, suspended)), next_cursor: cursorOf(next) };
    },

    async getKeyspace({ params, caller }) {
      return keyspaceView(await getOneKeyspace(ports, caller, params.id));
    },

    async listKeyspaces({ query, caller }) {
      const page = { after: afterOf('ks', query.cursor), limit: pageLimitOf(query.limit) };
      const { keyspaces, next } = await listKeyspaces(ports, caller, page);
      return { items: keyspaces.map(keyspaceView), next_cursor: cursorOf(next) };
    },

    async getOwner({ params, caller }) {
      return ownerView(await getOneOwner(ports, caller, params.id as OwnerId));
    },

    async listOwners({ query, caller }) {
      const page = { after: afterOf('own', query.cursor), limit: pageLimitOf(query.limit) };
      const wish = { kind: query.kind, externalId: query.external_id, ...page };
      const { owners, next } = await listOwners(ports, caller, wish);
      return { items: owners.map(ownerView), next_cursor: cursorOf(next) };
    },

    async listEvents({ query, caller }) {
      const { rows, next } = await listEvents(ports, caller, {
        after: query.after === undefined ? undefined : decodeEventsCursor(query.after),
        from: query.from,
        types: eventTypesOf(query.types),
        limit: pageLimitOf(query.limit),
      });
      return { items: rows.map(eventView), next_cursor: encodeEventsCursor(next) };
    },
  };
}

/** A version number is a PostgreSQL integer; there is none past its last. */
function versionOf(text: string): number {
  return Math.min(Number(text), 2_147_483_647);
}

function afterOf<Kind extends IdKind>(kind: Kind, cursor: string | undefined): IdKinds[Kind] | undefined {
  return cursor === undefined ? undefined : decodeIdCursor(kind, cursor);
}

function cursorOf(id: IdKinds[IdKind] | null): string | null {
  return id === null ? null : encodeIdCursor(id);
}
