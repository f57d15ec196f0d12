import { leaseDriftRatio } from '@keyswarm/core';

/**
 * The instant before which everything acknowledged is applied. The age was counted on another clock, which may run
 * slow: it is taken for longer by what two clocks may drift apart (SPEC.md, rule 4).
 */
export function provenAtMs(p0Ms: number, ageMs: number): number {
  return p0Ms - ageMs * (1 + leaseDriftRatio);
}
