import { hash } from 'node:crypto';
import type { FeedRow, KeyspaceId, KeyspaceRecord, WorkspaceId } from '@keyswarm/core';
import { Fault } from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import {
  statusBuildsMax,
  statusExpirySeconds,
  statusListsKnownMax,
  statusRefreshMs,
  statusTtlSeconds,
} from '../limits.ts';
import type { SigningRing } from '../signing-keys/signing-ring.ts';
import type { TokenPlacesRow } from '../storage/reader-port.ts';
import { statusListUrl } from './issue-token.ts';
import { StatusBitmap, type StatusValue, statusListClaims, statusOf } from './status-list.ts';
import { statusListsOf, statusNoteId } from './status-places.ts';

/*
 * Status lists as they are served: built when somebody asks, kept, and built anew when something has changed in their
 * keyspace or a grace has ended, though never sooner than some seconds after the last time, whoever asks how often. A list of which
 * nothing has changed is signed anew only as its `exp` comes near, so that its ETag stays.
 *
 * For readers that don't follow the feed: they learn of a revocation within this pause and the `ttl` of the list.
 */

export interface ServedList {
  readonly token: string;
  readonly etag: string;
  readonly maxAgeSeconds: number;
}

interface KnownList {
  readonly served: ServedList;
  readonly bitsHash: string;
  /** Once that key is revoked, nobody can verify the list. */
  readonly signedBy: string;
  readonly builtAtMs: number;
  readonly signedUntilMs: number;
  /** When a version that counts now will have ended; Infinity: none does. */
  readonly changesAtMs: number;
}

type ListPorts = Pick<UseCasePorts, 'reader' | 'clock' | 'verifier'>;

export class StatusLists {
  readonly #ports: ListPorts;
  readonly #ring: SigningRing;
  readonly #known = new Map<string, KnownList>();
  readonly #building = new Map<string, Promise<ServedList>>();
  readonly #changed = new Map<KeyspaceId, number>();
  #allChangedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: ListPorts, ring: SigningRing) {
    this.#ports = ports;
    this.#ring = ring;
  }

  /** Told of every row that this process applies. */
  heard(row: FeedRow): void {
    if (row.type === 'key.issued') return;
    const nowMs = this.#ports.clock.monotonicMs();
    const keyspaceId = row.key?.keyspaceId ?? row.keyspace?.id;
    if (keyspaceId !== undefined && this.#changed.size < statusListsKnownMax)
      this.#changed.set(keyspaceId, nowMs);
    else if (keyspaceId !== undefined || row.owner !== null) this.#allChangedAtMs = nowMs;
  }

  /** Another table took over: anything may have changed. */
  reloaded(): void {
    this.#changed.clear();
    this.#allChangedAtMs = this.#ports.clock.monotonicMs();
  }

  /** `list` of a keyspace; undefined: there is none. */
  async get(keyspaceId: KeyspaceId, list: number): Promise<ServedList | undefined> {
    const id = `${keyspaceId}.${list}`;
    const known = this.#known.get(id);
    if (known !== undefined && !this.#isDue(keyspaceId, known)) return known.served;
    const underWay = this.#building.get(id);
    if (underWay !== undefined) return await underWay;
    if (this.#building.size >= statusBuildsMax) {
      if (known !== undefined) return known.served;
      throw new Fault('overloaded', { detail: 'As many status lists as can be are being built.' });
    }
    const workspaceId = await this.#workspaceOf(keyspaceId, list);
    if (workspaceId === undefined) return undefined;
    const building = this.#building.get(id) ?? this.#build(keyspaceId, list, workspaceId);
    this.#building.set(id, building);
    try {
      return await building;
    } finally {
      this.#building.delete(id);
    }
  }

  #isDue(keyspaceId: KeyspaceId, known: KnownList): boolean {
    const { clock } = this.#ports;
    if (!this.#isVerifiable(known)) return true;
    const monotonicMs = clock.monotonicMs();
    if (monotonicMs - known.builtAtMs < statusRefreshMs) return false;
    const changedAtMs = Math.max(
      this.#changed.get(keyspaceId) ?? Number.NEGATIVE_INFINITY,
      this.#allChangedAtMs,
    );
    const nowMs = clock.nowMs();
    return changedAtMs >= known.builtAtMs || nowMs >= known.changesAtMs || nowMs >= known.signedUntilMs;
  }

  #isVerifiable({ signedBy }: KnownList): boolean {
    for (const { id } of this.#ports.verifier.signingKeys()) if (id === signedBy) return true;
    return false;
  }

  /** Of a list that there is. Nobody is told of a keyspace that has none. */
  async #workspaceOf(keyspaceId: KeyspaceId, list: number): Promise<WorkspaceId | undefined> {
    const note = await this.#ports.reader.document(statusNoteId(keyspaceId));
    return note !== undefined && list < statusListsOf(note) ? note.workspaceId : undefined;
  }

  async #build(keyspaceId: KeyspaceId, list: number, workspaceId: WorkspaceId): Promise<ServedList> {
    const { clock, reader } = this.#ports;
    const id = `${keyspaceId}.${list}`;
    const builtAtMs = clock.monotonicMs();
    const keyspace = await reader.keyspace(workspaceId, keyspaceId);
    if (keyspace === undefined) throw new Fault('not_found', { detail: 'There is no such list.' });
    const nowMs = clock.nowMs();
    const { bitmap, changesAtMs } = await this.#bitmapOf(keyspace, list, nowMs);
    const bitsHash = hash('sha256', bitmap.bytes, 'base64url');
    const known = this.#known.get(id);
    const isGood = known !== undefined && nowMs < known.signedUntilMs && this.#isVerifiable(known);
    if (isGood && known.bitsHash === bitsHash) {
      this.#remember(id, { ...known, builtAtMs, changesAtMs });
      return known.served;
    }
    const token = await this.#sign(keyspace, { id, lst: await bitmap.compressed(), nowMs });
    const served = {
      token,
      etag: `"${hash('sha256', token, 'base64url').slice(0, 22)}"`,
      maxAgeSeconds: statusTtlSeconds,
    };
    const signedUntilMs = nowMs + (statusExpirySeconds * 1000) / 2;
    this.#remember(id, { served, bitsHash, signedBy: kidOf(token), builtAtMs, signedUntilMs, changesAtMs });
    return served;
  }

  async #bitmapOf(keyspace: KeyspaceRecord, list: number, nowMs: number) {
    const bitmap = new StatusBitmap();
    let changesAtMs = Number.POSITIVE_INFINITY;
    if (keyspace.state === 'suspended') bitmap.fill(statusOf.suspended);
    const all = keyspace.keysNotBeforeMs !== null;
    for (const row of await this.#ports.reader.tokenPlaces({ keyspaceId: keyspace.id, all })) {
      for (const [version, ofList, index, expiresAtMs] of row.tokens) {
        if (ofList !== list || expiresAtMs <= nowMs) continue;
        const { value, endsAtMs } = statusIn(row, version, { keyspace, nowMs });
        if (value !== statusOf.valid) bitmap.set(index, value);
        changesAtMs = Math.min(changesAtMs, endsAtMs);
      }
    }
    return { bitmap, changesAtMs };
  }

  async #sign(
    keyspace: KeyspaceRecord,
    { id, lst, nowMs }: { readonly id: string; readonly lst: string; readonly nowMs: number },
  ): Promise<string> {
    const { issuer } = this.#ring;
    const issuedAt = Math.floor(nowMs / 1000);
    const expiresAt = issuedAt + statusExpirySeconds;
    const url = statusListUrl(issuer, id);
    const claims = statusListClaims({ issuer, url, lst, issuedAt, expiresAt, ttlSeconds: statusTtlSeconds });
    const { workspaceId, token } = keyspace;
    const { algorithm } = token;
    return await this.#ring.sign({
      workspaceId,
      algorithm,
      claims,
      expiresAtMs: expiresAt * 1000,
      type: 'statuslist+jwt',
    });
  }

  #remember(id: string, list: KnownList): void {
    this.#known.delete(id);
    this.#known.set(id, list);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= statusListsKnownMax) break;
      this.#known.delete(oldest);
    }
  }
}

/** Of a token of our own. */
function kidOf(token: string): string {
  const header = Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8');
  return String((JSON.parse(header) as { readonly kid?: unknown }).kid);
}

/** What is final before what may pass, as everywhere. */
function statusIn(
  row: TokenPlacesRow,
  version: number,
  { keyspace, nowMs }: { readonly keyspace: KeyspaceRecord; readonly nowMs: number },
): { readonly value: StatusValue; readonly endsAtMs: number } {
  const found = row.versions.find(([number]) => number === version);
  const [, state = 'retired', mintedAtMs = 0, retiresAtMs = null] = found ?? [];
  const watermarkMs = Math.max(Number(row.owner_not_before_ms ?? -1), keyspace.keysNotBeforeMs ?? -1);
  const hasEnded = state === 'retired' || (retiresAtMs !== null && nowMs >= Number(retiresAtMs));
  const endsAtMs = hasEnded || retiresAtMs === null ? Number.POSITIVE_INFINITY : Number(retiresAtMs);
  if (row.state === 'revoked' || hasEnded || Number(mintedAtMs) <= watermarkMs)
    return { value: statusOf.invalid, endsAtMs };
  const isSuspended =
    row.state === 'suspended' || row.owner_state === 'suspended' || keyspace.state === 'suspended';
  return { value: isSuspended ? statusOf.suspended : statusOf.valid, endsAtMs };
}
