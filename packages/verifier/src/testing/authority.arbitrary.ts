import type { FeedRow, KeyFact, KeyspaceFact, OwnerFact, VersionFact } from '@keyswarm/core';
import { fingerprintOf } from '../verdict/fingerprint.ts';
import {
  hourMs,
  keyFact,
  keyId,
  keyString,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  ownerId,
  startMs,
  workspaceId,
} from './sample-facts.arbitrary.ts';

/*
 * The side that writes the feed: keys in shards 0 and 1, owners and keyspaces in shard 2, each change one row.
 * Some rows of keys carry their owner and keyspace along, as they are then, and others don't: so those come in any
 * order, late, or not at all.
 */

export const strings = 48;
const texts = Array.from({ length: strings }, (_, at) => keyString(1000 + at));
const prints = texts.map((text) => fingerprintOf(text).slice(0, 16));
export const textOf = (at: number): string => texts[at] ?? '';
export const fingerprintAt = (at: number): Uint8Array => prints[at % strings] ?? new Uint8Array(16);

export interface Change {
  readonly kind:
    | 'issue'
    | 'twin'
    | 'rotate'
    | 'cut'
    | 'retire'
    | 'revoke'
    | 'suspend'
    | 'edit'
    | 'owner'
    | 'keyspace';
  readonly which: number;
  readonly how: number;
}

export const changeKinds: readonly Change['kind'][] = [
  'issue',
  'twin',
  'rotate',
  'rotate',
  'cut',
  'retire',
  'revoke',
  'suspend',
  'edit',
  'owner',
  'keyspace',
];

const places = 3;
const keysMax = 6;

export class Authority {
  readonly log: FeedRow[][] = [[], [], []];
  readonly #keys: KeyFact[] = [];
  readonly #owners = new Map<number, OwnerFact>();
  readonly #keyspaces = new Map<number, KeyspaceFact>();
  #minted = 0;

  /** So many of the key strings are some key's. */
  get minted(): number {
    return Math.min(this.#minted, strings);
  }

  make(change: Change): void {
    if (change.kind === 'owner') this.#changeOwner(change);
    else if (change.kind === 'keyspace') this.#changeKeyspace(change);
    else if (change.kind === 'issue' || change.kind === 'twin') this.#issue(change);
    else this.#changeKey(change);
  }

  #issue({ kind, which, how }: Change): void {
    if (this.#keys.length >= keysMax) return;
    const fingerprint =
      kind === 'twin' && this.#minted > 0 ? fingerprintAt(which % this.#minted) : this.#mint();
    const number = this.#keys.length;
    const holds = this.#keys.some((key) => key.keyspaceId === keyspaceId(1 + (how % places)));
    this.#writeKey(number, {
      ...keyFact(number),
      id: keyId(number),
      ownerId: ownerId(1 + (which % places)),
      keyspaceId: keyspaceId(1 + (how % places)),
      expiresAtMs: how % 4 === 0 ? null : startMs + (how % 3) * hourMs,
      notBeforeMs: which % 5 === 0 && holds ? startMs + hourMs : null,
      versions: [version(1, fingerprint, how)],
    });
  }

  #changeKey({ kind, which, how }: Change): void {
    const number = which % Math.max(1, this.#keys.length);
    const key = this.#keys[number];
    if (key === undefined) return;
    const revision = key.revision + 1;
    if (kind === 'revoke') this.#writeKey(number, { ...key, revision, state: 'revoked' });
    else if (kind === 'suspend') {
      const state = key.state === 'suspended' ? 'active' : 'suspended';
      this.#writeKey(number, { ...key, revision, state: key.state === 'revoked' ? 'revoked' : state });
    } else if (kind === 'edit') {
      const scopes = how % 2 === 0 ? ['orders:*'] : ['orders:read', `region:${how % 3}`];
      this.#writeKey(number, { ...key, revision, scopes });
    } else this.#writeKey(number, { ...key, revision, versions: this.#versionsAfter(kind, key, how) });
  }

  /** The newest three: a fourth drops the first out of the fact. */
  #versionsAfter(kind: Change['kind'], { versions }: KeyFact, how: number): readonly VersionFact[] {
    const newest = versions.at(-1);
    if (newest === undefined) return versions;
    const retired = (old: VersionFact): VersionFact => ({ ...old, state: 'retired', retiresAtMs: startMs });
    if (kind === 'retire') return [...versions.slice(0, -1).map(retired), newest];
    const retiresAtMs = startMs + (how % 3) * hourMs;
    const old: VersionFact = kind === 'cut' ? retired(newest) : { ...newest, state: 'grace', retiresAtMs };
    const next = version(newest.number + 1, this.#mint(), how);
    return [...versions.slice(0, -1).map(retired), old, next].slice(-3);
  }

  #changeOwner({ which, how }: Change): void {
    const number = 1 + (which % places);
    const revision = (this.#owners.get(number)?.revision ?? 0) + 1;
    const owner = ownerFact(number, {
      revision,
      state: how % 3 === 0 ? 'suspended' : 'active',
      keysNotBeforeMs: how % 4 === 0 ? startMs - hourMs + (how % 5) : null,
    });
    this.#owners.set(number, owner);
    this.#write(2, { owner }, owner.id);
  }

  #changeKeyspace({ which, how }: Change): void {
    const number = 1 + (which % places);
    const revision = (this.#keyspaces.get(number)?.revision ?? 0) + 1;
    const keyspace = keyspaceFact(number, {
      revision,
      workspaceId: workspaceId(number === 3 ? 2 : 1),
      state: how % 3 === 0 ? 'suspended' : 'active',
      keysNotBeforeMs: how % 4 === 0 ? startMs - hourMs + (how % 5) : null,
    });
    this.#keyspaces.set(number, keyspace);
    this.#write(2, { keyspace }, keyspace.id);
  }

  #writeKey(number: number, key: KeyFact): void {
    this.#keys[number] = key;
    if (key.revision % 2 === 1) {
      this.#write(number % 2, { key }, key.id);
      return;
    }
    const owner = [...this.#owners.values()].find(({ id }) => id === key.ownerId) ?? null;
    const keyspace = [...this.#keyspaces.values()].find(({ id }) => id === key.keyspaceId) ?? null;
    this.#write(number % 2, { key, owner, keyspace }, key.id);
  }

  #write(
    shard: number,
    facts: Partial<Pick<FeedRow, 'key' | 'owner' | 'keyspace'>>,
    subject: FeedRow['subject'],
  ): void {
    const rows = this.log[shard] ?? [];
    rows.push({
      epoch: 1,
      shard,
      seq: rows.length + 1,
      type: 'key.updated',
      atMs: startMs,
      workspaceId: workspaceId(1),
      subject,
      key: facts.key ?? null,
      owner: facts.owner ?? null,
      keyspace: facts.keyspace ?? null,
      data: {},
    });
  }

  #mint(): Uint8Array {
    this.#minted += 1;
    return fingerprintAt(this.#minted - 1);
  }
}

function version(number: number, fingerprint: Uint8Array, how: number): VersionFact {
  return {
    number,
    fingerprint,
    state: 'active',
    mintedAtMs: startMs - hourMs + (how % 5),
    retiresAtMs: null,
  };
}
