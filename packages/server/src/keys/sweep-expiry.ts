import { hash } from 'node:crypto';
import {
  type DocumentRecord,
  type EventType,
  expiryNotices,
  idFromUuidBytes,
  type JsonObject,
  type KeyId,
  type NoteId,
  toldKey,
  uuidV8FromHash,
  withBody,
} from '@keyswarm/core';
import { defaultWorkspaceId } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Decision, LaneView } from '../lanes/lane-port.ts';
import { expirySweepLagMs, keysPerSweepMax } from '../limits.ts';
import type { EndingKey, EndPlace } from '../storage/reader-port.ts';
import { keyEventData } from './key-terms.ts';

/*
 * Tells of keys that end and of keys that are about to, each once. It goes through the keys of a shard in the order of
 * their ends; how far it has come is a note, written in the transaction of the events: of two sweeps at once the second
 * finds the note moved and does nothing, and one that was cut off has told of what it noted and no more.
 *
 * It says what verifiers know by themselves: a key that is expired is refused at its instant, whether or not this runs.
 * A key whose end is moved forward, to before where the sweep has come, is told of when it has ended and not before.
 */

export type SweepPorts = Pick<UseCasePorts, 'lanes' | 'reader' | 'shards' | 'storeClock'>;

interface Told {
  readonly name: string;
  readonly event: EventType;
  /** Keys that end within so long from now; negative: that ended so long ago. */
  readonly aheadMs: number;
  readonly lifeMsMin: number;
  readonly lifeMsBelow: number | null;
}

/** A row each: what is told, of which keys, and when. */
const tellings: readonly Told[] = [
  // A write that was decided before an end commits within the lag, so that none lands behind the place.
  { name: 'expired', event: 'key.expired', aheadMs: -expirySweepLagMs, lifeMsMin: 0, lifeMsBelow: null },
  ...expiryNotices.map(({ lifeMsMin, beforeMs }, at) => ({
    name: `expiring_${at}`,
    event: 'key.expiring' as const,
    aheadMs: beforeMs,
    lifeMsMin,
    lifeMsBelow: expiryNotices[at - 1]?.lifeMsMin ?? null,
  })),
];

/** How many were told of. */
export async function sweepExpiry(ports: SweepPorts, signal?: AbortSignal): Promise<number> {
  const nowMs = await ports.storeClock.nowMs();
  let told = 0;
  for (let shard = 0; shard < ports.shards; shard += 1) {
    for (const telling of tellings) {
      for (let more = true; more; ) {
        signal?.throwIfAborted();
        const swept = await sweepPage(ports, { shard, telling, nowMs });
        told += swept.told;
        more = swept.more;
      }
    }
  }
  return told;
}

async function sweepPage(
  ports: SweepPorts,
  { shard, telling, nowMs }: { readonly shard: number; readonly telling: Told; readonly nowMs: number },
): Promise<{ readonly told: number; readonly more: boolean }> {
  const id = noteIdOf(shard, telling.name);
  const untilMs = nowMs + telling.aheadMs;
  const note = await ports.reader.document(id);
  // A store that never swept begins here: it does not tell of all that ended since it was made.
  const from =
    note === undefined ? { expiresAtMs: nowMs + Math.min(0, telling.aheadMs), id: null } : placeOf(note);
  const { lifeMsMin, lifeMsBelow } = telling;
  const wish = { shard, after: from, untilMs, lifeMsMin, lifeMsBelow, limit: keysPerSweepMax };
  const keys = untilMs <= from.expiresAtMs ? [] : await ports.reader.endingKeys(wish);
  const last = keys.at(-1);
  const isFull = keys.length === keysPerSweepMax && last !== undefined;
  // Where nothing was found the place stays: a note that is written every minute would be a write a minute for nothing.
  if (note !== undefined && keys.length === 0) return { told: 0, more: false };
  const to = isFull || last !== undefined ? { expiresAtMs: last.expiresAtMs, id: last.id } : from;
  const told = await tell(ports, { shard, id, note, telling, keys, to });
  return { told, more: isFull };
}

interface Page {
  readonly shard: number;
  readonly id: NoteId;
  readonly note: DocumentRecord | undefined;
  readonly telling: Told;
  readonly keys: readonly EndingKey[];
  readonly to: EndPlace;
}

async function tell(ports: SweepPorts, page: Page): Promise<number> {
  const { shard, id, keys } = page;
  const { reply } = await ports.lanes.submit<number>({
    shard,
    weight: Math.max(1, keys.length),
    actor: { workspaceId: defaultWorkspaceId, keyId: null, requestId: 'keys.expiry' },
    reads: {
      documents: [id],
      keys: keys.map((key) => key.id),
      owners: [...new Set(keys.map(({ ownerId }) => ownerId))],
      keyspaces: [...new Set(keys.map(({ keyspaceId }) => keyspaceId))],
    },
    decide: (view, nowMs) => decideTelling(page, view, nowMs),
  });
  return reply;
}

function decideTelling(
  { id, note, telling, keys, to }: Page,
  view: LaneView,
  nowMs: number,
): Decision<number> {
  const stored = view.document(id);
  // Another sweep was here.
  if (stored?.revision !== note?.revision) return { changes: [], reply: 0 };
  const body: JsonObject = { expires_at_ms: to.expiresAtMs, key_id: to.id };
  const after: DocumentRecord =
    stored === undefined
      ? { id, workspaceId: defaultWorkspaceId, body, createdAtMs: nowMs, updatedAtMs: nowMs, revision: 1 }
      : withBody(stored, body, nowMs);
  const told = keys.flatMap((place) => {
    const key = view.key(place.id);
    // Revoked, or given another end, since it was looked for.
    const isAsFound = key !== undefined && key.state !== 'revoked' && key.expiresAtMs === place.expiresAtMs;
    return isAsFound ? [toldKey(key)] : [];
  });
  return {
    changes: told.map((key) => ({
      kind: 'key' as const,
      event: telling.event,
      after: key,
      data: keyEventData(key, null, { expires_at: new Date(key.expiresAtMs ?? 0).toISOString() }),
    })),
    documents: [after],
    reply: told.length,
  };
}

function placeOf({ body }: DocumentRecord): EndPlace {
  return { expiresAtMs: Number(body.expires_at_ms), id: body.key_id as KeyId | null };
}

/** Of the shard that it speaks of: a document is written by the lane of its own. */
function noteIdOf(shard: number, name: string): NoteId {
  const bytes = uuidV8FromHash(hash('sha256', `note\0expiry\0${name}\0${shard}`, 'buffer'));
  bytes[15] = shard;
  return idFromUuidBytes('note', bytes);
}
