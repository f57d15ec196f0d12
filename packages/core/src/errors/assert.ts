/**
 * A broken assertion is a bug of ours, never a mistake of the caller: it fails the request, is counted, and is
 * never retried. What a caller got wrong is a `Fault`.
 */
export class AssertionBroken extends Error {
  override readonly name = 'AssertionBroken';
}

/** Throws unless `condition` holds. `claim` says what should have held; it must hold no secret. */
export function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new AssertionBroken(claim);
}
