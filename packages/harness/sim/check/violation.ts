export const invariants = {
  I1: 'no verifier accepts what was ended longer ago than a lease',
  I2: 'what was acknowledged is there',
  I3: 'a key that is good is not refused',
  I4: 'one effect for one request, and one reply',
  I5: 'an end is exact, and who has refused for good does not accept again',
  I6: 'the feed is gapless and in order, and tables hold what it tells',
  I7: 'of a key that rotates one or two versions work, and one in use is not ended',
  I8: 'once the faults are over everything is well again',
  I9: 'the audit chain is whole',
} as const;

export type Invariant = keyof typeof invariants;

/** A promise was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: Invariant;

  constructor(invariant: Invariant, what: string) {
    super(`${invariant} (${invariants[invariant]}): ${what}`);
    this.invariant = invariant;
  }
}
