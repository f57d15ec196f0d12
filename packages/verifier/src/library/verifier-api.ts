import type { RefusedVerdict, StaleAnswer, ValidVerdict } from '@keyswarm/core';
import type { Follower } from '../follow/follower.ts';
import type { SignedRequest } from '../signatures/signed-request.ts';
import type { UseReporter } from '../uses/use-reporter.ts';
import type { ResidentVerifier, VerifierClock } from '../verifier-port.ts';
import type { Listener, VerifierEvent, VerifierEvents, VerifierState } from './verifier-events.ts';

/** What the access point requires of the key. */
export interface KeyRequirement {
  /** Id or name; absent: any keyspace that is known here. */
  readonly keyspace?: string | undefined;
  /** Every one of them must be covered by the key's scopes. */
  readonly scopes?: readonly string[] | undefined;
}

export interface FreshRequirement extends KeyRequirement {
  /** `seq` of the reply to a change, unchanged: the answer knows of that change, or is stale. */
  readonly minSeq?: string | undefined;
}

/** A verdict as an authority gives it: the caller's workspace goes without saying. */
export type AuthorityVerdict = Omit<ValidVerdict, 'workspaceId'> | RefusedVerdict;

interface Provenance {
  /**
   * Unix ms by the authority's clock: everything acknowledged before it is in this answer. Null: nothing is proved.
   * A refusal carries it, too; how old one may be is for the caller to say, or for `verifyFresh` to settle.
   */
  readonly asOf: number | null;
}

export type ResidentAnswer = (AuthorityVerdict | StaleAnswer) & Provenance;

export interface VerifierNumbers {
  readonly versions: number;
  readonly owners: number;
  readonly keyspaces: number;
  readonly tableBytes: number;
  /** ms; -1: no lease. */
  readonly leaseAgeMs: number;
  readonly epoch: number;
  /** Sum over the shards of what is applied. */
  readonly appliedSeq: number;
  /** Rows known to be committed and not applied, as of the last lease answer. */
  readonly lagRows: number;
  /** Rounds with the relays that failed, after one that didn't. */
  readonly disconnects: number;
  readonly relayMoves: number;
  readonly snapshots: number;
  readonly leaseAnswers: number;
  readonly rowReads: number;
  /** Rounds that callers of `verifyFresh` waited for. */
  readonly freshWaits: number;
  /** Subscriptions that were given up for deaf. */
  readonly pushRecreations: number;
  readonly quarantinedShards: number;
  readonly fallbackAsked: number;
  readonly fallbackFailed: number;
  /** How often each answer was given, by its code. */
  readonly verdicts: Readonly<Record<string, number>>;
}

/** Verifies keys in this process, from memory, and keeps itself up to date. */
export interface Verifier {
  /**
   * Answers from memory, at once: no I/O, no waiting, some microseconds. A `valid` is never older than its
   * keyspace's lease. A refusal is as old as `asOf` says: a key that was issued a moment ago elsewhere may be
   * `unknown`; `verifyFresh` settles that.
   */
  verify(key: string, requirement?: KeyRequirement): ResidentAnswer;
  /**
   * The same, but a refusal that news could lift, and a `minSeq` that isn't applied, waits until everything
   * acknowledged before this call is known here: one round, shared by all who wait, two seconds at the most. What is
   * stale then is asked of the authority where `fallback` allows it, and answered `stale` where not. Never rejects but
   * with a `TypeError` for a `minSeq` that no reply has ever named.
   */
  verifyFresh(key: string, requirement?: FreshRequirement): Promise<ResidentAnswer>;
  /**
   * A request that is signed (RFC 9421), from memory, at once. `signature_required` for one that is not. Ask once for a
   * request and keep the answer: the nonce of what was accepted is used up.
   */
  verifyRequest(request: SignedRequest, requirement?: KeyRequirement): ResidentAnswer;
  /** The same, but a refusal that news could lift waits for them. Never rejects. The authority is not asked. */
  verifyRequestFresh(request: SignedRequest, requirement?: KeyRequirement): Promise<ResidentAnswer>;
  /** Resolves once a first snapshot is loaded and leased. Never rejects; `on('refused')` tells of what is in the way. */
  readonly ready: Promise<void>;
  readonly state: VerifierState;
  /** Why no news comes, when none does: the last error of a round with the relays. */
  readonly reason: unknown;
  /** The relay that is followed now, by scheme, host and port; undefined where none is followed by its URL. */
  readonly relay: string | undefined;
  /** Shards that can't be brought up to date; what hangs on them goes stale, the rest serves. */
  readonly quarantined: readonly number[];
  /** Returns what takes the listener off again. */
  on<Name extends VerifierEvent>(name: Name, listener: Listener<VerifierEvents[Name]>): () => void;
  /** Plain numbers, for any metrics system. */
  stats(): VerifierNumbers;
  /** Stops following, writes the snapshot where one is kept, and leaves nothing open. */
  close(): Promise<void>;

  /** For a node that passes on what it follows. */
  readonly resident: ResidentVerifier;
  readonly follower: Follower;
  readonly clock: VerifierClock;
  /** Tells the authority of uses of rotating keys, also of those that somebody else has told this node. */
  readonly uses: UseReporter;
}

/** Where log lines go: an object first, a sentence second, as pino has it. */
export interface VerifierLog {
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}
