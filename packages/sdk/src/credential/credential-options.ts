import type { Secret } from '@keyswarm/core';
import type { RetryPolicy } from '../call/retry-policy.ts';
import type { Fetch } from '../call/send-attempt.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** Where a credential lives between two runs of its holder: a file, a secret manager, a mounted volume. */
export interface CredentialKeeping {
  /** The key string as it was stored last. */
  load(): Promise<string | Secret>;
  /** Resolves once the new key string is where `load` finds it after a crash. */
  store(secret: Secret): Promise<void>;
  /**
   * Where the Idempotency-Key of a renewal under way is kept, beside the credential. With it a holder that is stopped
   * between the answer and `store` asks again and gets the same secret. Without it, it gets another one in its place,
   * some seconds later. It is as secret as the credential.
   */
  readonly journal?: RenewalJournal | undefined;
}

export interface RenewalJournal {
  /** Undefined: no renewal was under way. */
  load(): Promise<string | undefined>;
  /** Undefined: the renewal is over. */
  store(idempotencyKey: string | undefined): Promise<void>;
}

export interface CredentialOptions extends CredentialKeeping {
  readonly baseUrl: string;
  /** Called after each change, when the new one is stored and in use. */
  readonly onChange?: ((change: CredentialChange) => void) | undefined;
  /** Told of what went wrong; the credential goes on trying by itself. */
  readonly onProblem?: ((problem: CredentialProblem) => void) | undefined;
  /** How often the server is asked whether the key is to be renewed sooner than it said; a minute unless given. */
  readonly pollMs?: number | undefined;
  readonly fetch?: Fetch | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Of one attempt; 10 s unless given. */
  readonly timeoutMs?: number | undefined;
  readonly runtime?: Runtime | undefined;
}

export interface CredentialChange {
  readonly secret: Secret;
  /** Why: it was renewed, or somebody else stored another one. */
  readonly reason: 'renewed' | 'reloaded';
  /** Unix ms; null: never. Undefined: not known yet. */
  readonly expiresAtMs: number | null | undefined;
}

export interface CredentialProblem {
  /**
   * `refused`: the server takes the key for nobody's, and what is stored is no other one. `superseded`: somebody else
   * renewed it and uses the new version: another instance that stores elsewhere, or a thief. `not_stored`: the new one
   * could not be stored, and the one in use will end. `failed`: anything else, such as a server that can't be reached.
   */
  readonly kind: 'refused' | 'superseded' | 'not_stored' | 'failed';
  readonly error: unknown;
}

export const pollMsDefault = 60_000;
/** Between two looks at the least, whatever the server says. */
export const roundMsMin = 250;
/** Pauses between tries double between these two, and each is drawn from between half of it and the whole. */
export const pauseMsMin = 1_000;
export const pauseMsMax = 60_000;
/** A timer of the platform can't be set for longer than 24.8 days; one that is set anew each day is none the worse. */
export const sleepMsMax = 86_400_000;
/** So long before the old version ends, a new one is used that could not be stored. */
export const unstoredMarginMs = 5_000;
