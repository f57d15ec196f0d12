import type { CampaignPace, ThrottleReason } from './campaign.ts';

/*
 * How fast a campaign goes. It is slowed down at once and sped up a little at a time (as congestion control does):
 * halved while verifications suffer, a tenth of the full pace more for each quiet look.
 */

/** What a process has seen of its verifications between two looks. */
export interface VerifySample {
  readonly answered: number;
  /** By a fault of the server or turned away; a refusal of a key is an answer. */
  readonly failed: number;
  readonly p99Ms: number;
  /** Share of the time in which the process had something to do, 0 to 1. */
  readonly busyShare: number;
}

/** Too few to say anything about a percentile. */
export const samplesMin = 20;
/**
 * A process that is busy for more of its time answers late whoever comes, and its own clock does not tell: a request that
 * waits to be read is not yet counted.
 */
export const busyShareMax = 0.9;
/** A campaign never stands still by its pace alone: it goes at this share of it at the least. */
const shareMin = 1 / 64;

export interface Pace {
  readonly rate: number;
  readonly throttledBy: ThrottleReason | null;
}

export function nextPace(wanted: CampaignPace, now: Pace, sample: VerifySample): Pace {
  const full = wanted.keysPerSecond;
  const reason = complaint(wanted, sample);
  if (reason !== null) return { rate: Math.max(1, full * shareMin, now.rate / 2), throttledBy: reason };
  const rate = Math.min(full, now.rate + full / 10);
  return { rate, throttledBy: rate < full ? now.throttledBy : null };
}

export function isOverBudget(wanted: CampaignPace, { answered, failed }: VerifySample): boolean {
  return answered + failed >= samplesMin && failed / (answered + failed) > wanted.errorBudget;
}

function complaint(wanted: CampaignPace, sample: VerifySample): ThrottleReason | null {
  if (isOverBudget(wanted, sample)) return 'error_budget';
  if (sample.answered < samplesMin) return null;
  if (sample.p99Ms > wanted.verifyP99Ms) return 'verify_p99';
  return sample.busyShare > busyShareMax ? 'server_load' : null;
}
