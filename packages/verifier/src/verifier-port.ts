import type {
  Answer,
  FeedRow,
  KeyFact,
  KeyId,
  KeyspaceFact,
  KeyspaceId,
  OwnerFact,
  OwnerId,
  OwnerKind,
  SigningKeyFact,
  SigningKeyId,
  WorkspaceId,
} from '@keyswarm/core';
import type { Fact, FactFilter } from './feed/fact.ts';
import type { FeedStretch, FeedView, TablePlace } from './feed/feed-source.ts';
import type { SignedRequest } from './signatures/signed-request.ts';
import type { LeaseBounds } from './table/keyspaces.ts';
import type { KeyUse } from './uses/key-use.ts';

/** What the access point requires of the key. */
export interface Requirement {
  /** The caller's workspace: a key of another one is `unknown`. Absent only where the key itself says whose it is (management keys). */
  readonly workspaceId?: WorkspaceId | undefined;
  /** Id or name; absent: any keyspace of the workspace. */
  readonly keyspace?: string | undefined;
  /** Every one of them must be covered by the key's scopes. */
  readonly scopes?: readonly string[] | undefined;
}

/** What a key string stands for here, and what a verdict on it would be wherever it is asked for. */
export interface FoundKey {
  readonly answer: Answer;
  /** Null: no key is known by that string. */
  readonly held: HeldVersion | null;
}

/** A version that was found, whatever its verdict: for what its own holder may do, never for an access point. */
export interface HeldVersion {
  readonly keyId: KeyId;
  readonly version: number;
  readonly mintedAtMs: number;
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId;
  readonly ownerId: OwnerId;
  readonly owner: { readonly kind: OwnerKind; readonly externalId: string };
  readonly isEnrollment: boolean;
}

/** Wall time bounds and a monotonic clock; the only way time reaches the verifier. */
export interface VerifierClock {
  /** Monotonic milliseconds, for the lease. */
  monotonicMs(): number;
  /** This machine's wall clock, Unix ms: only to notice that it and the monotonic one disagree. */
  wallMs(): number;
  /** The earliest and latest that the authority's wall clock may show now, Unix ms: for expiry. */
  earliestMs(): number;
  latestMs(): number;
  /** Is the authority's wall clock this machine's? Then one reading serves for both. */
  readonly isAuthority: boolean;
}

/** Told of what was applied, in order and without a hole within each shard: what a relay passes on. */
export interface AppliedObserver {
  applied(stretch: FeedStretch): void;
  /** Another table took over, at this position. What was told before says nothing of what it holds. */
  reloaded(applied: Applied): void;
}

/** The applied position of each shard: `seq` of `epoch`. */
export interface Applied {
  readonly epoch: number;
  readonly seqs: readonly number[];
}

export interface VerifierStats {
  readonly versions: number;
  readonly owners: number;
  readonly keyspaces: number;
  readonly scopeSets: number;
  /** Bytes of the record pages and the index, without interned owners and scope sets. */
  readonly tableBytes: number;
  /** Nonces of accepted requests that have not expired. */
  readonly noncesRemembered: number;
  readonly leaseAgeMs: number;
}

/** A verifier's resident state. Nothing here does I/O; a follower feeds it. */
export interface ResidentVerifier {
  /** Decides from memory: fingerprint → table → verdict → lease check. `key` may be any string of any length. */
  verify(key: string, requirement: Requirement): Answer;
  /**
   * The same for a request that is signed (RFC 9421, in the profile of `@keyswarm/core`); `signature_required` for one
   * that isn't. Accepts each nonce once: so it is asked once for a request, and its answer kept.
   */
  verifyRequest(request: SignedRequest, requirement: Requirement): Answer;
  /** The verdict on the version that has signed a request which was accepted a moment ago: no signature, no nonce. */
  verifySigner(signingKeyId: string, requirement: Requirement): Answer;
  /** Does the key that the request names belong to this keyspace? Looks at neither signature nor nonce. */
  isSignedIn(request: SignedRequest, keyspaceName: string): boolean;
  /** The same for a holder that asks by its key: also which version of which key it is, if it is known at all. */
  find(key: string): FoundKey;

  /** Facts of one feed row or snapshot page. Idempotent: a lower or equal revision changes nothing. */
  applyKey(fact: KeyFact): void;
  applyOwner(fact: OwnerFact): void;
  applyKeyspace(fact: KeyspaceFact): void;
  applySigningKey(fact: SigningKeyFact): void;
  /** Applies the facts of a row whose position is exactly the next one of its shard, and advances; else returns false. */
  applyRow(row: FeedRow): boolean;
  /**
   * The same for a stretch of rows, of which the first may be known already. `known`: nothing in it is new; `ahead`:
   * something before it is missing, nothing was applied; `elsewhere`: another epoch, or not ready.
   */
  applyStretch(stretch: FeedStretch): 'applied' | 'known' | 'ahead' | 'elsewhere';
  /** Applies a row's facts without advancing any position (the committing process's shortcut, out of order). */
  applyFacts(row: FeedRow): void;
  /** A new, empty table to load a snapshot into while the old one goes on serving. */
  startSnapshot(): SnapshotLoad;
  /** False until a first snapshot is finished: every answer is stale until then. */
  readonly ready: boolean;
  applied(): Applied;
  /** Of what part of the feed the table is. */
  readonly view: FeedView;
  /**
   * The lease (design §7): at `p0MonotonicMs` the heads were asked for (less the age of the answer), and all shards
   * have been applied up to what was read after it, except those named in `behind`, which can't be: they are
   * quarantined, and what hangs on them lives on the lease of the last time that they weren't. Never moves backwards.
   */
  renewLease(p0MonotonicMs: number, behind?: readonly number[]): void;
  /** Shards that the last renewal left out, ascending. */
  readonly quarantined: readonly number[];
  /**
   * Does any version known here belong to this workspace and have this fingerprint, in whatever state it is? Of the
   * fingerprint the first 16 bytes count. What has been forgotten, and what the feed has not brought yet, is not known.
   */
  knowsFingerprint(fingerprint: Uint8Array, workspaceId: WorkspaceId): boolean;
  /** When a version of this key that is in grace was last accepted here, Unix ms; null: not since it entered grace. */
  lastGraceUseMs(id: KeyId): number | null;
  /**
   * Up to so many uses of rotating keys that are to be told to the authority, each handed out once. Of one version no
   * more than one in `useRepeatMs`, and the last of them for certain.
   */
  takeUses(countMax: number): readonly KeyUse[];
  /**
   * What this verifier knows, read as it is asked for: keyspaces first, each owner before the first key that names
   * it (of owners only those), then keys, after the signing keys of the workspace. What changes while it is read may or may not be in it; what does not change
   * is, and no key is ever half there. Goes on with the table that it began with when another one takes over.
   */
  facts(filter?: FactFilter): Iterable<Fact>;
  /** The keyspace's own lease in ms, by id; undefined when it isn't known here. */
  leaseMsOf(id: KeyspaceId): number | undefined;
  /** The smallest and the largest lease of all keyspaces known here, as stated, ms; 0 and 0 without one. */
  leaseBounds(): LeaseBounds;
  /** Keys that tokens are signed with, of all workspaces known here, but for those that were removed. */
  signingKeys(): Iterable<SigningKeyFact>;
  /** As it is known here; undefined: it isn't, or was removed. */
  signingKey(id: SigningKeyId): SigningKeyFact | undefined;
  stats(): VerifierStats;
}

/** Facts of one snapshot, in any order; then what was applied at its source meanwhile. */
export interface SnapshotLoad {
  applyKey(fact: KeyFact): void;
  applyOwner(fact: OwnerFact): void;
  applyKeyspace(fact: KeyspaceFact): void;
  applySigningKey(fact: SigningKeyFact): void;
  applyStretch(stretch: FeedStretch): void;
  /** Swaps the new table in, at the position that the snapshot and its stretches come to, and of its view. */
  finish(end: TablePlace): void;
}
