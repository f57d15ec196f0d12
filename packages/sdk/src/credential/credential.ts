import { Secret } from '@keyswarm/core';
import { baseUrlOf, managementKeyOf } from '../call/build-request.ts';
import { type CallContext, callOperation } from '../call/call-operation.ts';
import { RetryBudget, retryPolicyDefault } from '../call/retry-policy.ts';
import { isKeyswarmError, type KeyswarmError } from '../errors/keyswarm-error.ts';
import { systemRuntime } from '../runtime/system-runtime.ts';
import {
  type CredentialChange,
  type CredentialOptions,
  type CredentialProblem,
  pauseMsMax,
  pauseMsMin,
  pollMsDefault,
  roundMsMin,
  sleepMsMax,
  unstoredMarginMs,
} from './credential-options.ts';
import { type KnownKey, pauseMs, planOf } from './renew-plan.ts';

/*
 * A key that keeps itself alive: it is renewed within the window that the server gives, at a moment drawn at random,
 * and swapped as a whole. In this order, because each may be the last thing this process does:
 *
 *   1. the Idempotency-Key of the renewal is kept (`journal`), so that asking again gives the same secret
 *   2. the server makes the next version; the present one goes on working for its grace
 *   3. the new secret is stored
 *   4. it is used, and the server is asked about it at once, which is the proof that it was deployed
 *
 * Stopped after any of them, the next run has a stored secret that works: the old one, in its grace, or the new one.
 *
 * What it is not: a lock. Instances that share one store may renew at the same time; one of them is told that it
 * comes late, and loads what the other has stored.
 */

export interface Credential {
  /** The secret to use now. Ask for it at each request, and keep no copy. */
  readonly current: Secret;
  /** Unix ms; null: never; undefined: not known yet. */
  readonly expiresAtMs: number | null | undefined;
  /** The value of an `Authorization` header. */
  authorization(): string;
  /** A verdict or a header said that the key is to be renewed: the server is asked at once. */
  hint(): void;
  /** Another listener for changes; the function that comes back ends it. */
  onChange(listener: (change: CredentialChange) => void): () => void;
  /** Ends the renewals. A renewal under way is finished as far as it has come. */
  close(): Promise<void>;
}

/** Loads the credential and begins to look after it. Rejects only if it can't be loaded. */
export async function createCredential(options: CredentialOptions): Promise<Credential> {
  const baseUrl = baseUrlOf(options.baseUrl);
  const keeper = new CredentialKeeper(options, baseUrl, keyOf(await options.load()));
  // One that was under way when the process ended is gone on with before anything else.
  keeper.start(await options.journal?.load());
  return keeper;
}

type Outcome = 'done' | 'again';

class CredentialKeeper implements Credential {
  readonly #options: CredentialOptions;
  readonly #context: Omit<CallContext, 'managementKey'>;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(change: CredentialChange) => void>();
  #current: Secret;
  #known: KnownKey | undefined;
  #wake: AbortController | undefined;
  #isHinted = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CredentialOptions, baseUrl: string, secret: Secret) {
    const policy = { ...retryPolicyDefault, ...options.retry };
    this.#options = options;
    this.#current = secret;
    this.#context = {
      baseUrl,
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      runtime: options.runtime ?? systemRuntime,
      timeoutMs: options.timeoutMs ?? 10_000,
      policy,
      budget: new RetryBudget(policy),
    };
    if (options.onChange !== undefined) this.#listeners.add(options.onChange);
  }

  get current(): Secret {
    return this.#current;
  }

  get expiresAtMs(): number | null | undefined {
    return this.#known?.expiresAtMs;
  }

  authorization(): string {
    return `Bearer ${this.#current.reveal()}`;
  }

  hint(): void {
    this.#isHinted = true;
    this.#wake?.abort();
  }

  onChange(listener: (change: CredentialChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `pending`: the Idempotency-Key of a renewal that may have happened. */
  start(pending: string | undefined): void {
    this.#running = this.#run(pending);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake?.abort();
    await this.#running;
  }

  /** One round after the other until it is closed: look, renew if it is time, wait. */
  async #run(interrupted: string | undefined): Promise<void> {
    let tries = 0;
    let pending = interrupted;
    while (!this.#closing.signal.aborted) {
      let retryAfterMs = 0;
      let outcome: Outcome = 'again';
      try {
        outcome = pending === undefined ? await this.#look() : await this.#renew(pending);
        pending = undefined;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        const failed = error instanceof RenewalFailed ? error : new RenewalFailed(pending, error);
        retryAfterMs = isKeyswarmError(failed.cause) ? (failed.cause.retryAfterMs ?? 0) : 0;
        pending = await this.#afterFailure(failed);
      }
      tries = outcome === 'done' ? 0 : tries + 1;
      await this.#pause(outcome === 'done' ? this.#untilNextMs() : retryAfterMs + this.#backoffMs(tries));
    }
  }

  /** Asks what the server knows of the key, and renews it if it is time. */
  async #look(): Promise<Outcome> {
    const known = await this.#ask();
    const isTime = known.renewAtMs !== null && this.#context.runtime.wallMs() >= known.renewAtMs;
    return known.isOutdated || isTime ? await this.#renew() : 'done';
  }

  async #ask(): Promise<KnownKey> {
    this.#isHinted = false;
    const told = await callOperation(this.#contextNow(), 'getSelf', {}, { signal: this.#closing.signal });
    this.#known = planOf(told, this.#context.runtime.random(), this.#known);
    return this.#known;
  }

  async #renew(pending?: string): Promise<Outcome> {
    const { journal } = this.#options;
    const { runtime } = this.#context;
    const idempotencyKey = pending ?? runtime.newIdempotencyKey();
    if (pending === undefined) await journal?.store(idempotencyKey);
    try {
      const renewed = await callOperation(
        this.#contextNow(),
        'renewSelf',
        {},
        // From here on a secret may be on its way that exists nowhere else: closing does not stop it. Tried once,
        // because what is tried again is this round, and that can be stopped.
        { idempotencyKey, attemptsMax: 1 },
      );
      const secret = keyOf(renewed.secret);
      if (secret.reveal() !== this.#current.reveal()) {
        await this.#swap(secret, renewed.previous.retires_at);
        this.#known = planOf(renewed, runtime.random());
        this.#tell({ secret, reason: 'renewed', expiresAtMs: this.#known.expiresAtMs });
      }
      await journal?.store(undefined);
    } catch (error) {
      throw new RenewalFailed(idempotencyKey, error);
    }
    if (!this.#closing.signal.aborted) await this.#ask();
    return 'done';
  }

  /** Stores it first, and uses it then; unless it can't be stored, and the one in use is about to end. */
  async #swap(secret: Secret, retiresAt: string): Promise<void> {
    const { runtime } = this.#context;
    const lastMs = Date.parse(retiresAt) - unstoredMarginMs;
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#options.store(secret);
        this.#current = secret;
        return;
      } catch (error) {
        this.#problem('not_stored', error);
        if (!(runtime.wallMs() < lastMs)) this.#current = secret;
        if (this.#closing.signal.aborted) throw error;
        await runtime.sleep(this.#backoffMs(tries), this.#closing.signal);
      }
    }
  }

  /** What to go on with: the Idempotency-Key of a renewal that may have happened, or nothing. */
  async #afterFailure({ idempotencyKey, cause }: RenewalFailed): Promise<string | undefined> {
    const refusal = isKeyswarmError(cause) ? cause : undefined;
    if (refusal === undefined || !isFinal(refusal)) {
      this.#problem('failed', cause);
      return idempotencyKey;
    }
    try {
      if (idempotencyKey !== undefined) await this.#options.journal?.store(undefined);
      if (refusal.code !== 'renew_too_early' && !(await this.#reload()))
        this.#problem(refusal.code === 'version_superseded' ? 'superseded' : 'refused', refusal);
    } catch (error) {
      this.#problem('failed', error);
    }
    return undefined;
  }

  /** Whether another one is stored meanwhile: by another instance, or by whoever deploys it. */
  async #reload(): Promise<boolean> {
    const stored = keyOf(await this.#options.load());
    if (stored.reveal() === this.#current.reveal()) return false;
    this.#current = stored;
    this.#known = undefined;
    this.#tell({ secret: stored, reason: 'reloaded', expiresAtMs: undefined });
    return true;
  }

  /** Until the renewal that was drawn, but no longer than until it is looked again. */
  #untilNextMs(): number {
    const { runtime } = this.#context;
    const poll = this.#options.pollMs ?? pollMsDefault;
    const pollMs = poll * (0.8 + 0.4 * runtime.random());
    const renewAtMs = this.#known?.renewAtMs ?? null;
    if (renewAtMs === null) return Math.min(pollMs, sleepMsMax);
    return Math.min(pollMs, sleepMsMax, Math.max(roundMsMin, renewAtMs - runtime.wallMs()));
  }

  async #pause(durationMs: number): Promise<void> {
    if (this.#isHinted || this.#closing.signal.aborted) return;
    const wake = new AbortController();
    this.#wake = wake;
    await this.#context.runtime.sleep(durationMs, wake.signal).catch(() => undefined);
    this.#wake = undefined;
  }

  #backoffMs(tries: number): number {
    return pauseMs(tries - 1, this.#context.runtime.random(), { min: pauseMsMin, max: pauseMsMax });
  }

  #contextNow(): CallContext {
    return { ...this.#context, managementKey: this.#current };
  }

  #tell(change: CredentialChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#problem('failed', error);
      }
    }
  }

  #problem(kind: CredentialProblem['kind'], error: unknown): void {
    this.#options.onProblem?.({ kind, error });
  }
}

/** A round that did not come to its end, and by what its renewal is asked for again, if there was one. */
class RenewalFailed extends Error {
  override readonly name = 'RenewalFailed';
  readonly idempotencyKey: string | undefined;

  constructor(idempotencyKey: string | undefined, cause: unknown) {
    super('the renewal failed', { cause });
    this.idempotencyKey = idempotencyKey;
  }
}

/** Did the server say for certain that there is no new secret, and that asking again by the same key won't give one? */
function isFinal(error: KeyswarmError): boolean {
  return error.nothingChanged && (!error.retryable || error.code === 'renew_too_early');
}

function keyOf(text: string | Secret): Secret {
  return managementKeyOf(text instanceof Secret ? text : text.trim());
}
