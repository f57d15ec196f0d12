import { violationsTold } from '../limits.ts';

/* What the checker says of one promise: how much it looked at, the worst that it saw, and where the promise was broken. */

export const invariants = {
  I1: 'bounded revocation',
  I2: 'nothing acknowledged is lost',
  I3: 'no false reject',
  I4: 'one effect for one Idempotency-Key',
  I5: 'expiry, and refusals that stay',
  I6: 'feed without a hole and in order',
  I7: 'overlap of a rotation',
  I8: 'recovery within a bound',
  I9: 'audit chain complete',
  I10: 'no secret anywhere',
} as const;

export type InvariantId = keyof typeof invariants;

export interface InvariantVerdict {
  readonly id: InvariantId;
  readonly name: string;
  readonly holds: boolean;
  /** 0: there was nothing to check, and nothing is shown. */
  readonly checked: number;
  /** One sentence with what was found. */
  readonly found: string;
  readonly violations: readonly string[];
  readonly violationCount: number;
}

/** Collects what one invariant finds. */
export class Finding {
  readonly #id: InvariantId;
  readonly #violations: string[] = [];
  #count = 0;
  #checked = 0;

  constructor(id: InvariantId) {
    this.#id = id;
  }

  check(times = 1): void {
    this.#checked += times;
  }

  violate(what: string): void {
    this.#count += 1;
    if (this.#violations.length < violationsTold) this.#violations.push(what);
  }

  verdict(found: string): InvariantVerdict {
    return {
      id: this.#id,
      name: invariants[this.#id],
      holds: this.#count === 0,
      checked: this.#checked,
      found,
      violations: this.#violations,
      violationCount: this.#count,
    };
  }
}
