import type { ApprovalId, KeyId, KeyspaceId, WorkspaceId } from '../ids/ids.ts';
import type { OwnerKind } from '../lifecycle/key-record.ts';

/**
 * The state an approval is stored in. That its time has run out follows from the clock, so that it is exact without a
 * sweep; the sweep writes `expired` down for those who list and for the event.
 */
export const approvalStates = ['pending', 'approved', 'collected', 'denied', 'expired', 'withdrawn'] as const;
export type ApprovalState = (typeof approvalStates)[number];

/** The key that is asked for. Nothing of it is secret: the secret is minted when it is collected, and not before. */
export interface ApprovalTerms {
  readonly owner: { readonly kind: OwnerKind; readonly externalId: string };
  readonly name: string;
  /** Sorted, without duplicates. */
  readonly scopes: readonly string[];
  /** Counts from when the key is collected. */
  readonly ttlSeconds: number | null;
  readonly expiresAtMs: number | null;
  readonly notBeforeMs: number | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The wish of one manager to issue a key that a second one has to agree to. */
export interface ApprovalRecord {
  readonly id: ApprovalId;
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId;
  readonly terms: ApprovalTerms;
  /** Why, in the words of who asks. */
  readonly reason: string;
  readonly requestedBy: KeyId;
  readonly state: ApprovalState;
  /** How long it may wait to be decided, and once more to be collected. */
  readonly waitSeconds: number;
  /** When the wait that it is in ends. */
  readonly waitsUntilMs: number;
  readonly decidedBy: KeyId | null;
  readonly decidedAtMs: number | null;
  /** What the decider says to it. */
  readonly note: string;
  /** The key that it became. */
  readonly keyId: KeyId | null;
  readonly createdAtMs: number;
  /** 1 when it is asked for, one more at every change. */
  readonly revision: number;
}
