import { parseId, uuidHexOf } from '@keyswarm/core';
import type { KeyRow, KeyspaceRow, VersionRow } from '@keyswarm/server/rooms/storage/statements/record-rows';
import type { Engine } from '../store/engine.ts';
import type { Commit } from '../store/sim-transaction.ts';
import type { InShard } from '../store/tables.ts';
import type { VerdictJudge } from './judge-verdicts.ts';
import type { SometimesCounts } from './sometimes.ts';
import type { AuditTruth } from './truth.ts';
import { Violation } from './violation.ts';

/** A version that is always in use is told of once in so long (verifier/SPEC.md, rule 15). */
const toldAgainMs = 32_000;
/** A use of so short a time ago may not have been told yet. */
const toldLateMs = 14_000;
/** What a process took with it when it died: uses that it had been told and not stored. */
const lostWithProcessMs = 14_000;
/** Of a keyspace that says nothing else. */
const windowSecondsDefault = 300;

/** Looks at each transaction as it takes effect. */
export class CommitJudge {
  readonly #engine: Engine;
  readonly #verdicts: VerdictJudge;
  readonly #counts: SometimesCounts;
  /** True times at which a process that passes on uses died. */
  readonly deathsMs: number[] = [];
  readonly #asked = new Set<string>();
  readonly #commits = new Map<string, number>();
  /** How many commits a request may make. */
  commitsMax: (requestId: string) => number | undefined = () => undefined;

  constructor(engine: Engine, verdicts: VerdictJudge, counts: SometimesCounts) {
    this.#engine = engine;
    this.#verdicts = verdicts;
    this.#counts = counts;
  }

  judge(commit: Commit, audits: readonly AuditTruth[]): void {
    const { tables } = this.#engine;
    this.#judgeEffects(audits);
    for (const { table, name, row } of commit.writes) {
      if (table === tables.keyspaces && (row as KeyspaceRow).former_lease_until !== null)
        this.#counts.note('a lease was lowered');
      if (table !== tables.keys || row === undefined) continue;
      const versions = tables.versions.rows.get(name) ?? [];
      this.#judgeOverlap(row as InShard<KeyRow>, versions);
      this.#judgeOutbox(row as InShard<KeyRow>, audits);
    }
    for (const audit of audits) {
      if (audit.event === 'key.retired' && audit.data.forced === false)
        this.#judgeRetired(audit, commit.atMs);
      if (audit.event === 'key.renew_requested') this.#judgeAsked(audit);
      if (audit.event === 'campaign.finished') this.#counts.note('a campaign ended');
      if (audit.data.settled === true) this.#counts.note('a rotation settled by itself');
    }
  }

  /** One request, one commit (two where it says so). */
  #judgeEffects(audits: readonly AuditTruth[]): void {
    for (const id of new Set(audits.map(({ requestId }) => requestId))) {
      const count = (this.#commits.get(id) ?? 0) + 1;
      this.#commits.set(id, count);
      if (id.startsWith('op-') && count > (this.commitsMax(id) ?? 1))
        throw new Violation('I4', `request ${id} took effect ${count} times`);
    }
  }

  #judgeOverlap(key: InShard<KeyRow>, versions: readonly VersionRow[]): void {
    const wallMs = this.#engine.wallMs();
    const live = versions.filter(
      ({ state, retires_at: ends }) =>
        state === 'active' || (state === 'grace' && (ends === null || ends > wallMs)),
    );
    if (live.length > 2) throw new Violation('I7', `${live.length} versions of key ${key.id} work at once`);
    if (key.state !== 'revoked' && versions.at(-1)?.state !== 'active')
      throw new Violation('I7', `the newest version of key ${key.id} does not work`);
  }

  /** A change and the row that tells of it are one transaction. */
  #judgeOutbox(key: InShard<KeyRow>, audits: readonly AuditTruth[]): void {
    if (audits.some(({ subject }) => subject.startsWith('key_') && uuidOf(subject) === key.id)) return;
    throw new Violation('I6', `key ${key.id} was changed in a transaction without its row of the feed`);
  }

  #judgeRetired({ subject, data }: AuditTruth, atMs: number): void {
    const number = Number(data.version);
    const isSettled = data.settled === true;
    if (!isSettled) this.#counts.note('a rotation was finished on evidence');
    const windowMs = isSettled ? 60_000 : this.#windowMsOf(uuidOf(subject));
    // What was accepted before the rotation says nothing of who needs the old version now (core/lifecycle/use-evidence.ts).
    const fromMs = Math.max(atMs - windowMs + toldAgainMs, this.#rotatedAtMs(uuidOf(subject)));
    const untilMs = atMs - toldLateMs;
    const used = this.#verdicts
      .acceptedAt(uuidOf(subject), number)
      .find((usedMs) => usedMs > fromMs && usedMs < untilMs && !this.#mayBeLost(usedMs));
    if (used === undefined) return;
    const ago = ((atMs - used) / 1000).toFixed(1);
    throw new Violation(
      'I7',
      `version ${number} of ${subject} was ended, though it was used ${ago} s before`,
    );
  }

  /** When the newest version of a key was minted, in the time of the simulation. */
  #rotatedAtMs(keyUuid: string): number {
    const { versions } = this.#engine.tables;
    const newest = [...versions.rows].find(([name]) => name.endsWith(keyUuid))?.[1].at(-1);
    return newest === undefined ? 0 : newest.minted_at - this.#engine.wallAheadMs;
  }

  /** For how long the old version has to have been silent, as the key's keyspace has it. */
  #windowMsOf(keyUuid: string): number {
    const { keys, keyspaces } = this.#engine.tables;
    const key = [...keys.rows.values()].find(({ id }) => id === keyUuid);
    const keyspace = [...keyspaces.rows.values()].find(({ id }) => id === key?.keyspace_id);
    const seconds = keyspace?.rules?.in_use_window_seconds;
    return (typeof seconds === 'number' ? seconds : windowSecondsDefault) * 1000;
  }

  #mayBeLost(usedMs: number): boolean {
    return this.deathsMs.some((deathMs) => deathMs >= usedMs && deathMs < usedMs + lostWithProcessMs);
  }

  #judgeAsked({ subject, data }: AuditTruth): void {
    const name = `${subject} ${String(data.campaign)}`;
    if (data.campaign !== undefined && this.#asked.has(name))
      throw new Violation('I4', `${subject} was asked twice by campaign ${String(data.campaign)}`);
    this.#asked.add(name);
  }
}

function uuidOf(subject: string): string {
  const id = parseId('key', subject);
  return id === undefined ? '' : uuidHexOf(id);
}
