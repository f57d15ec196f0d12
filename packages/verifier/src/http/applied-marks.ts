import type { Heads, LeaseAnswer } from '../feed/feed-source.ts';
import { provenAtMs } from '../follow/proven-at.ts';
import { appliedMarksMax } from '../limits.ts';

/**
 * What had been applied when, to catch an answer that claims to be younger than it can be. Heads of age `a`, asked for
 * at `p0`, hold everything acknowledged before `p0 − a`; what was applied here before that instant had been committed
 * by then, so such heads can't lie behind it. If they do, the relay lies about its age or stands on a primary that went
 * another way, and its answer may renew nothing. (Heads read from the primary itself are left to the follower, which
 * knows one more reason for them to go back: a primary that was restored.)
 */
export class AppliedMarks {
  /** Ascending in time. Thinned at the bound, so that the old ones stand further apart. */
  #marks: Mark[] = [];

  note(atMs: number, applied: Heads): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && (atMs <= last.atMs || isSame(last.applied, applied))) return;
    this.#marks.push({ atMs, applied });
    if (this.#marks.length > appliedMarksMax)
      this.#marks = this.#marks.filter((_, index) => index % 2 === 1 || index === appliedMarksMax);
  }

  /** @throws {ContradictoryAge} */
  check(p0Ms: number, answer: LeaseAnswer): void {
    if (answer.fromPrimary) return;
    const provenMs = provenAtMs(p0Ms, answer.ageMs);
    const before = this.#marks.findLast(
      ({ atMs, applied }) => atMs <= provenMs && applied.epoch === answer.epoch,
    );
    const isBehind = before?.applied.seqs.some((seq, shard) => (answer.seqs[shard] ?? 0) < seq) ?? false;
    if (isBehind) throw new ContradictoryAge();
  }
}

/** A relay that answers with heads of the past and calls them younger. */
export class ContradictoryAge extends Error {
  override readonly name = 'ContradictoryAge';

  constructor() {
    super('the relay gives heads as younger than they can be: they lie behind what was applied before');
  }
}

interface Mark {
  readonly atMs: number;
  readonly applied: Heads;
}

function isSame(a: Heads, b: Heads): boolean {
  return a.epoch === b.epoch && a.seqs.every((seq, shard) => seq === b.seqs[shard]);
}
