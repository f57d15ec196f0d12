import type { AwaitEffective, EffectiveChange, EffectiveOutcome } from '../await-effective.ts';

/** A wait for effect that ends when a test says so, or with the client. */
export class ManualEffect {
  readonly asked: EffectiveChange[] = [];
  readonly #waits: {
    readonly resolve: (outcome: EffectiveOutcome) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  readonly awaitEffective: AwaitEffective = (change, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<EffectiveOutcome>();
    this.asked.push(change);
    this.#waits.push({ resolve, reject });
    signal?.addEventListener('abort', () => reject(signal.reason));
    if (signal?.aborted === true) reject(signal.reason);
    return promise;
  };

  answer(outcome: EffectiveOutcome): void {
    this.#waits.shift()?.resolve(outcome);
  }

  fail(error: unknown): void {
    this.#waits.shift()?.reject(error);
  }
}
