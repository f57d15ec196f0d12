import { checkAudit } from './audit.ts';
import { checkBoundedRevocation, type RevocationWindow } from './bounded-revocation.ts';
import { checkDurability } from './durability.ts';
import type { Evidence } from './evidence.ts';
import { checkExpiryAndRefusal } from './expiry-and-refusal.ts';
import { checkFalseReject } from './false-reject.ts';
import { checkFeed } from './feed.ts';
import { checkIdempotency } from './idempotency.ts';
import { tellStories } from './key-story.ts';
import { checkOverlap } from './overlap.ts';
import { type Availability, availabilityOf, checkRecovery } from './recovery.ts';
import { checkSecrets } from './secrets.ts';
import type { InvariantVerdict } from './verdict.ts';

/* Every promise, looked for in one history. Pure: what was seen goes in, verdicts come out. */

export interface Checked {
  readonly verdicts: readonly InvariantVerdict[];
  readonly windows: readonly RevocationWindow[];
  readonly acked: number;
  readonly availability: Availability;
}

export function checkHistory(evidence: Evidence): Checked {
  const stories = tellStories(evidence.operations);
  const bounded = checkBoundedRevocation(evidence, stories);
  const durability = checkDurability(evidence, stories);
  return {
    verdicts: [
      bounded.verdict,
      durability.verdict,
      checkFalseReject(stories),
      checkIdempotency(evidence),
      checkExpiryAndRefusal(stories),
      checkFeed(evidence, stories),
      checkOverlap(evidence, stories),
      checkRecovery(evidence.faults),
      checkAudit(evidence, stories),
      checkSecrets(evidence),
    ],
    windows: bounded.windows,
    acked: durability.acked,
    availability: availabilityOf(evidence.operations, evidence.faults),
  };
}
