import { type Answer, type KeyId, uuidHexOf } from '@keyswarm/core';
import { allows, type Standing } from './allows.ts';
import type { Moment } from './history.ts';
import type { SometimesCounts } from './sometimes.ts';
import type { Truth } from './truth.ts';
import { Violation } from './violation.ts';

/** What was presented, and to whom. */
export interface Presented {
  readonly by: string;
  readonly keyId: KeyId;
  readonly version: number;
  /** True time at which it was asked. */
  readonly askedMs: number;
  /** Was the answer to be as of the question? Else it is as old as what is resident. */
  readonly isFresh: boolean;
}

/** By how much a clock that is within its bounds may be off, ms. */
export interface Tolerance {
  /** Of an end that has passed. */
  readonly lateMs: number;
  /** Of an end that is near: what a slow answer leaves uncertain. */
  readonly earlyMs: number;
}

/** Compares what verifiers say with what is true. */
export class VerdictJudge {
  readonly #truth: Truth;
  readonly #counts: SometimesCounts;
  readonly #tolerance: Tolerance;
  /** By verifier and version: it was revoked there. */
  readonly #refusedForGood = new Set<string>();
  /** True times at which a version was accepted by anybody, the last few hundred. */
  readonly #accepted = new Map<string, number[]>();
  verdicts = 0;

  constructor(truth: Truth, counts: SometimesCounts, tolerance: Tolerance) {
    this.#truth = truth;
    this.#counts = counts;
    this.#tolerance = tolerance;
  }

  acceptedAt(keyUuid: string, version: number): readonly number[] {
    return this.#accepted.get(`${keyUuid} ${version}`) ?? [];
  }

  /** Throws the promise that the answer breaks. */
  judge(presented: Presented, answer: Answer, nowMs: number): void {
    this.verdicts += 1;
    if (answer.valid === null) this.#counts.note('stale was answered');
    else if (answer.valid) this.#judgeValid(presented, answer, nowMs);
    else if (answer.code === 'revoked') this.#judgeRevoked(presented, nowMs);
    if (answer.valid === false && presented.isFresh) this.#judgeRefusal(presented, answer.code, nowMs);
  }

  #judgeValid(
    { by, keyId, version }: Presented,
    answer: Extract<Answer, { valid: true }>,
    nowMs: number,
  ): void {
    const uuid = uuidHexOf(keyId);
    if (answer.keyId !== keyId || answer.version !== version)
      throw new Violation('I5', `${by} takes version ${version} of ${keyId} for another`);
    if (this.#refusedForGood.has(`${by} ${keyId} ${version}`))
      throw new Violation('I5', `${by} accepts version ${version} of ${keyId}, which it had called revoked`);
    const accepted = this.#accepted.get(`${uuid} ${version}`) ?? [];
    accepted.push(nowMs);
    if (accepted.length > 400) accepted.splice(0, 200);
    this.#accepted.set(`${uuid} ${version}`, accepted);
    const wallMs = nowMs + this.#truth.wallAheadMs;
    const isStill = this.#standings(uuid, nowMs, nowMs).some((standing) =>
      allows(standing, version, exact(wallMs)),
    );
    if (isStill) return;
    const tolerant = {
      earliestMs: wallMs - this.#tolerance.lateMs,
      latestMs: wallMs + this.#tolerance.lateMs,
    };
    const believable = this.#believable(uuid, nowMs);
    if (believable.some((standing) => allows(standing, version, tolerant))) {
      this.#counts.note('a key was accepted after its end was committed, within its lease');
      return;
    }
    const anyTime = { earliestMs: Number.NEGATIVE_INFINITY, latestMs: Number.POSITIVE_INFINITY };
    if (believable.some((standing) => allows(standing, version, anyTime)))
      throw new Violation('I5', `${by} accepts version ${version} of ${keyId} past its end`);
    throw new Violation('I1', `${by} accepts version ${version} of ${keyId}: ${this.#why(uuid, nowMs)}`);
  }

  #judgeRevoked({ by, keyId, version }: Presented, nowMs: number): void {
    const history = this.#truth.keys.get(uuidHexOf(keyId));
    if (history === undefined || history.between(0, nowMs).length === 0)
      throw new Violation('I3', `${by} calls a key revoked that is not there: ${keyId}`);
    this.#refusedForGood.add(`${by} ${keyId} ${version}`);
  }

  #judgeRefusal({ by, keyId, version, askedMs }: Presented, code: string, nowMs: number): void {
    const standings = this.#standings(uuidHexOf(keyId), askedMs, nowMs);
    if (standings.length === 0) return;
    const wallMs = nowMs + this.#truth.wallAheadMs;
    const askedWallMs = askedMs + this.#truth.wallAheadMs;
    // Refused by the clock: within what the clock may be off by.
    const wall = {
      earliestMs: wallMs + this.#tolerance.earlyMs,
      latestMs: askedWallMs - this.#tolerance.earlyMs,
    };
    if (standings.some((standing) => !allows(standing, version, wall))) return;
    throw new Violation(
      'I3',
      `${by} says ${code} of version ${version} of ${keyId}, which is good all the while`,
    );
  }

  /** Every combination of what was current at some instant between the two. */
  #standings(uuid: string, fromMs: number, toMs: number): readonly Standing[] {
    return this.#combine(uuid, (history) => history.between(fromMs, toMs));
  }

  #believable(uuid: string, nowMs: number): readonly Standing[] {
    const keyspaceId = this.#truth.keys.get(uuid)?.last?.state.key.keyspace_id ?? '';
    const lives = (commitMs: number) => this.#truth.livesUntilMs(keyspaceId, commitMs);
    return this.#combine(uuid, (history) => history.believable(nowMs, lives));
  }

  #combine(
    uuid: string,
    momentsOf: <State>(history: {
      between(fromMs: number, toMs: number): readonly Moment<State>[];
      believable(nowMs: number, lives: (commitMs: number) => number): readonly Moment<State>[];
    }) => readonly Moment<State>[],
  ): readonly Standing[] {
    const keys = this.#truth.keys.get(uuid);
    const last = keys?.last?.state.key;
    if (keys === undefined || last === undefined) return [];
    const owners = this.#truth.owners.get(last.owner_id);
    const keyspaces = this.#truth.keyspaces.get(last.keyspace_id);
    if (owners === undefined || keyspaces === undefined) return [];
    const standings: Standing[] = [];
    for (const key of momentsOf(keys))
      for (const owner of momentsOf(owners))
        for (const keyspace of momentsOf(keyspaces))
          standings.push({ key: key.state, owner: owner.state, keyspace: keyspace.state });
    return standings;
  }

  #why(uuid: string, nowMs: number): string {
    const key = this.#truth.keys.get(uuid);
    const last = key?.last;
    if (last === undefined) return 'no such key was ever committed';
    const { state, versions } = { state: last.state.key.state, versions: last.state.versions };
    const owner = this.#truth.owners.get(last.state.key.owner_id)?.last;
    const keyspace = this.#truth.keyspaces.get(last.state.key.keyspace_id)?.last;
    const ago = (atMs: number | undefined) => `${((nowMs - (atMs ?? nowMs)) / 1000).toFixed(3)} s ago`;
    return [
      `${state} since ${ago(last.atMs)}`,
      versions.map((each) => `v${each.number} ${each.state}`).join(', '),
      `owner ${owner?.state.state} since ${ago(owner?.atMs)}`,
      `keyspace ${keyspace?.state.state} with a lease of ${keyspace?.state.lease_seconds} s since ${ago(keyspace?.atMs)}`,
    ].join('; ');
  }
}

function exact(wallMs: number) {
  return { earliestMs: wallMs, latestMs: wallMs };
}
