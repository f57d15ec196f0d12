import {
  type Campaign,
  type CampaignTotals,
  campaignStages,
  isOverBudget,
  nextPace,
  type Pace,
  progressIn,
  type ShardProgress,
} from '@keyswarm/core';
import { campaignChunkKeysMax, campaignChunkMs, campaignChunksAtOnceMax } from '../limits.ts';
import { sampleBetween, type VerifyReading } from '../metrics/verify-load.ts';
import { enforceStage } from './write-chunk.ts';

/** A chunk that may be written now. */
export interface NextChunk {
  readonly shard: number;
  readonly from: ShardProgress;
  readonly limit: number;
}

/**
 * What the process that works on a campaign keeps of it in memory: where each shard stands, and its pace. All of it can be
 * lost: the journal is in the store, and the pace is found again.
 */
export class CampaignWork {
  readonly progress: ShardProgress[];
  #pace: Pace;
  /** Keys that may be taken by now. */
  #tokens = 0;
  #filledMs: number;
  #seen: VerifyReading | undefined;
  /** From when the stage that is being watched was done. */
  #holdSeen: VerifyReading | undefined;
  /** Where to look first, so that all shards get their turn. */
  #turn = 0;

  constructor(campaign: Campaign, progress: readonly ShardProgress[], monotonicMs: number) {
    this.progress = [...progress];
    this.#pace = { rate: campaign.rate, throttledBy: campaign.throttledBy };
    this.#filledMs = monotonicMs;
  }

  get pace(): Pace {
    return this.#pace;
  }

  /** Looks at how verifications fare. */
  look(campaign: Campaign, reading: VerifyReading): void {
    this.#pace = nextPace(campaign.pace, this.#pace, sampleBetween(this.#seen ?? reading, reading));
    this.#seen = reading;
    if (campaign.holdUntilMs === null) this.#holdSeen = undefined;
    else this.#holdSeen ??= reading;
  }

  /** Has more failed while the sample was watched than may? */
  isOverBudget(campaign: Campaign, reading: VerifyReading): boolean {
    return isOverBudget(campaign.pace, sampleBetween(this.#holdSeen ?? reading, reading));
  }

  totals(): Pick<CampaignTotals, 'taken' | 'skipped' | 'suspended' | 'enforced'> {
    const sum = (name: 'taken' | 'skipped' | 'suspended' | 'enforced') =>
      this.progress.reduce((total, one) => total + one[name], 0);
    return {
      taken: sum('taken'),
      skipped: sum('skipped'),
      suspended: sum('suspended'),
      enforced: sum('enforced'),
    };
  }

  isStageDone(campaign: Campaign): boolean {
    const stage = stageOf(campaign);
    return this.progress.every((one) => one.stage > stage || (one.stage === stage && one.isDone));
  }

  /** The chunks to write next, each of another shard, as far as the pace allows. */
  next(campaign: Campaign, monotonicMs: number): readonly NextChunk[] {
    const { rate } = this.#pace;
    this.#tokens = Math.min(Math.max(1, rate), this.#tokens + ((monotonicMs - this.#filledMs) / 1000) * rate);
    this.#filledMs = monotonicMs;
    const stage = stageOf(campaign);
    const limit = Math.min(campaignChunkKeysMax, Math.max(1, Math.floor((rate * campaignChunkMs) / 1000)));
    const chunks: NextChunk[] = [];
    for (let step = 0; step < this.progress.length; step += 1) {
      const shard = (this.#turn + step) % this.progress.length;
      const from = progressIn(this.progress[shard] as ShardProgress, stage);
      if (from.stage > stage || from.isDone) continue;
      if (chunks.length >= campaignChunksAtOnceMax || this.#tokens < limit) break;
      this.#tokens -= limit;
      chunks.push({ shard, from, limit });
    }
    const last = chunks.at(-1);
    if (last !== undefined) this.#turn = (last.shard + 1) % this.progress.length;
    return chunks;
  }

  /** What of a chunk's allowance was not needed is there for the next. */
  wrote(
    { shard, limit }: NextChunk,
    written: { readonly progress: ShardProgress; readonly changed: number },
  ) {
    this.progress[shard] = written.progress;
    this.#tokens += limit - Math.min(limit, written.changed);
  }
}

export function stageOf(campaign: Campaign): number {
  return campaign.phase === 'enforce' ? enforceStage : Math.min(campaign.stage, campaignStages.length - 1);
}
