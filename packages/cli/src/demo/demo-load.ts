import type { VerdictView } from '@keyswarm/contract';
import { type Client, isKeyswarmError } from '@keyswarm/sdk';
import {
  demoForgedPercent,
  demoRate,
  demoTickMs,
  demoUnderScopedPercent,
  demoUnderWayMax,
} from './demo-limits.ts';
import type { Holder, Holders } from './holders.ts';
import { zipf } from './zipf.ts';

/** Where verifications are asked for. */
export interface AccessPoint {
  readonly name: string;
  readonly client: Client;
  /** Of ten verifications. */
  readonly weight: number;
}

export interface LoadCounts {
  answered: number;
  valid: number;
  refused: number;
  /** 503: no verdict could be given. */
  stale: number;
  /** A key that was valid all the while was refused. There must be none. */
  wrong: number;
}

/**
 * Verifications at a steady rate, whatever the answers take: a tick every twenty milliseconds, and what would be too
 * much under way is left out, not saved up. Popular keys are asked for often, most of them seldom.
 */
export class DemoLoad {
  readonly counts: LoadCounts = { answered: 0, valid: 0, refused: 0, stale: 0, wrong: 0 };
  readonly #holders: Holders;
  readonly #keyspace: string;
  readonly #points: readonly AccessPoint[];
  readonly #draw: () => number;
  #underWay = 0;
  #round = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(holders: Holders, keyspace: string, points: readonly AccessPoint[]) {
    this.#holders = holders;
    this.#keyspace = keyspace;
    this.#points = points.flatMap((point) => Array.from({ length: point.weight }, () => point));
    this.#draw = zipf(Math.max(1, holders.all.length), Math.random);
  }

  start(): void {
    this.#timer = setInterval(() => {
      const share = (demoRate * demoTickMs) / 1000;
      for (let sent = 0; sent < share && this.#underWay < demoUnderWayMax; sent += 1) void this.#ask();
    }, demoTickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #ask(): Promise<void> {
    this.#round += 1;
    const point = this.#points[this.#round % this.#points.length];
    const holder = this.#next();
    if (point === undefined || holder === undefined) return;
    const lot = Math.random() * 100;
    const isForged = lot < demoForgedPercent;
    const isUnderScoped = !isForged && lot < demoForgedPercent + demoUnderScopedPercent;
    const { secret } = holder;
    const question = {
      key: isForged ? forged(secret) : secret,
      keyspace: this.#keyspace,
      scopes: [isUnderScoped ? 'orders:refund' : 'orders:read'],
    };
    this.#underWay += 1;
    try {
      const verdict = await point.client.keys.verify(question, { attemptsMax: 1 });
      this.#count(verdict, isForged || isUnderScoped ? undefined : holder);
      if (!isForged) this.#holders.heard(holder, verdict);
    } catch (error) {
      if (isKeyswarmError(error, 'stale')) this.counts.stale += 1;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** By popularity; every fourth in turn through the fleet, so that each of it is heard of within seconds. */
  #next(): Holder | undefined {
    const { all, fleet } = this.#holders;
    return this.#round % 4 === 0 ? fleet[(this.#round / 4) % fleet.length] : all[this.#draw()];
  }

  #count(verdict: VerdictView, expectedOf: Holder | undefined): void {
    this.counts.answered += 1;
    if (verdict.valid) this.counts.valid += 1;
    else this.counts.refused += 1;
    if (!verdict.valid && expectedOf !== undefined && expectedOf.revokedAtMs === undefined)
      this.counts.wrong += 1;
  }
}

/** Another random part under the same prefix: well formed but for its checksum. */
function forged(secret: string): string {
  return secret.replace(/[0-9A-Za-z]{6}$/, () => Math.random().toString(36).slice(2, 8).padEnd(6, '0'));
}
