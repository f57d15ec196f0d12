interface TurnLane {
  readonly committing: boolean;
}

/**
 * Which shard new things are made in: one at a time, until its batch is taken or full, then the next that is not
 * in a transaction. Measured on two busy cores, 64 callers, one key a call, 16 shards: scattered at random a
 * transaction holds 5 keys, in turns all 64, and keys a second double.
 */
export class ShardTurns {
  readonly #lanes: readonly TurnLane[];
  readonly #weightMax: number;
  #shard = 0;
  /** What has been sent to the present shard since its turn began. */
  #weight = 0;

  constructor(lanes: readonly TurnLane[], weightMax: number) {
    this.#lanes = lanes;
    this.#weightMax = weightMax;
  }

  next(weight: number): number {
    if (this.#weight > 0 && this.#weight + weight > this.#weightMax) this.#turn();
    this.#weight += weight;
    return this.#shard;
  }

  taken(shard: number): void {
    if (shard === this.#shard) this.#turn();
  }

  #turn(): void {
    this.#weight = 0;
    for (const _ of this.#lanes) {
      this.#shard = (this.#shard + 1) % this.#lanes.length;
      if (this.#lanes[this.#shard]?.committing !== true) return;
    }
  }
}
