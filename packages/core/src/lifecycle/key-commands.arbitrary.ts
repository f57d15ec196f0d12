import fc from 'fast-check';
import { expect } from 'vitest';
import type { KeyFact } from '../facts/facts.ts';
import { keyFactOf } from '../facts/make-facts.ts';
import { judge } from '../verdict/judge.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import { issueKey } from './issue-key.ts';
import type { KeyModel } from './key-model.arbitrary.ts';
import * as expected from './key-model.arbitrary.ts';
import type { KeyRecord, KeyspaceRecord, OwnerRecord } from './key-record.ts';
import { revokeOwnerKeys } from './owner.ts';
import { deepFreeze, fingerprintOf, issueWish } from './records.arbitrary.ts';
import { revokeKey } from './revoke-key.ts';
import { finishRotation, rotateKey } from './rotate-key.ts';
import { effectiveExpiryMs, liveVersionsAt, versionStateAt } from './states.ts';
import { resumeKey, suspendKey } from './suspend-key.ts';
import { updateKey } from './update-key.ts';

/** The true thing: the records, changed only by the deciders. */
export interface Real {
  key: KeyRecord | undefined;
  owner: OwnerRecord;
  readonly keyspace: KeyspaceRecord;
}

type KeyStep = (model: KeyModel, key: KeyRecord, real: Real) => KeyRecord;

/**
 * A command on the key: the model says what must come of it, the decider does it, and both are compared. A
 * refusal leaves the very same record behind; a change is one revision more.
 */
class KeyCommand implements fc.Command<KeyModel, Real> {
  readonly #name: string;
  readonly #expect: (model: KeyModel) => string;
  readonly #decide: KeyStep;

  constructor(name: string, expectOutcome: (model: KeyModel) => string, decide: KeyStep) {
    this.#name = name;
    this.#expect = expectOutcome;
    this.#decide = decide;
  }

  check(model: Readonly<KeyModel>): boolean {
    return model.issued;
  }

  run(model: KeyModel, real: Real): void {
    const before = real.key;
    if (before === undefined) throw new Error('no key was issued');
    let after = before;
    const outcome = faultOf(() => {
      after = deepFreeze(this.#decide(model, before, real));
    });
    expect(outcome.split(' ')[0]).toBe(this.#expect(model));
    expect(after.revision).toBe(outcome === 'done' ? before.revision + 1 : before.revision);
    real.key = after;
    checkInvariants(model, real, before);
  }

  toString(): string {
    return this.#name;
  }
}

class Issue implements fc.Command<KeyModel, Real> {
  readonly #ttlSeconds: number | undefined;
  readonly #beginsInMs: number | undefined;

  constructor(ttlSeconds: number | undefined, beginsInMs: number | undefined) {
    this.#ttlSeconds = ttlSeconds;
    this.#beginsInMs = beginsInMs;
  }

  check(model: Readonly<KeyModel>): boolean {
    return !model.issued;
  }

  run(model: KeyModel, real: Real): void {
    const { nowMs } = model;
    const beginsMs = this.#beginsInMs === undefined ? Number.NEGATIVE_INFINITY : nowMs + this.#beginsInMs;
    const endsMs =
      this.#ttlSeconds === undefined ? Number.POSITIVE_INFINITY : nowMs + this.#ttlSeconds * 1000;
    const outcome = faultOf(() => {
      const wish = issueWish({
        keyspace: real.keyspace,
        nowMs,
        ttlSeconds: this.#ttlSeconds,
        notBeforeMs: this.#beginsInMs === undefined ? undefined : beginsMs,
        ownerKeysNotBeforeMs: real.owner.keysNotBeforeMs,
      });
      real.key = deepFreeze(issueKey(wish));
    });
    expect(outcome.split(' ')[0]).toBe(this.#expect(model, beginsMs, endsMs));
    if (outcome !== 'done') return;
    Object.assign(model, { issued: true, beginsMs, endsMs, revision: 1 });
    expected.mint(model, 1);
    checkInvariants(model, real, undefined);
  }

  #expect(model: KeyModel, beginsMs: number, endsMs: number): string {
    if (endsMs === Number.POSITIVE_INFINITY)
      return model.maxTtlMs === Number.POSITIVE_INFINITY ? 'done' : 'missing_field';
    if (endsMs <= beginsMs) return 'expiry_conflict';
    const mintedAtMs = Math.max(model.nowMs, model.watermarkMs + 1);
    return endsMs > mintedAtMs + model.maxTtlMs ? 'ttl_too_long' : 'done';
  }

  toString(): string {
    return `issue(ttl ${this.#ttlSeconds} s, begins in ${this.#beginsInMs} ms)`;
  }
}

class Advance implements fc.Command<KeyModel, Real> {
  readonly #byMs: number;

  constructor(byMs: number) {
    this.#byMs = byMs;
  }

  check(): boolean {
    return true;
  }

  run(model: KeyModel, real: Real): void {
    model.nowMs += this.#byMs;
    if (real.key !== undefined) checkInvariants(model, real, real.key);
  }

  toString(): string {
    return `advance(${this.#byMs} ms)`;
  }
}

class RevokeOwnerKeys implements fc.Command<KeyModel, Real> {
  check(): boolean {
    return true;
  }

  run(model: KeyModel, real: Real): void {
    real.owner = deepFreeze(revokeOwnerKeys(real.owner, model.nowMs));
    model.watermarkMs = Math.max(model.nowMs, model.watermarkMs + 1);
    if (real.key !== undefined) checkInvariants(model, real, real.key);
  }

  toString(): string {
    return 'revokeOwnerKeys';
  }
}

const rotation = (graceSeconds: number, cut: boolean): KeyCommand =>
  new KeyCommand(
    `rotate(grace ${graceSeconds} s${cut ? ', cut' : ''})`,
    (model) => expected.expectRotate(model, graceSeconds * 1000, cut),
    (model, key, real) => {
      const fingerprint = fingerprintOf((key.versions.at(-1)?.number ?? 0) + 1);
      const ownerKeysNotBeforeMs = real.owner.keysNotBeforeMs;
      return rotateKey(
        key,
        real.keyspace,
        { fingerprint, graceSeconds, cut, ownerKeysNotBeforeMs },
        model.nowMs,
      );
    },
  );

const finishing = (force: boolean, told: expected.ToldOfUse): KeyCommand =>
  new KeyCommand(
    `finish(${force ? 'forced, ' : ''}old ${told.oldMsAgo}, new ${told.newMsAgo}, silence ${told.unheardMsAgo} ms ago)`,
    (model) => expected.expectFinish(model, force, told),
    (model, key) => {
      const use = (number: number | undefined, msAgo: number | null) => {
        const usedMs = model.nowMs - (msAgo ?? 0);
        return number === undefined || msAgo === null
          ? []
          : [{ number, firstUsedMs: usedMs, lastUsedMs: usedMs }];
      };
      const { oldMsAgo, newMsAgo, unheardMsAgo } = told;
      const uses = [
        ...use(key.versions.at(-1)?.number, newMsAgo),
        ...use(key.versions.at(-2)?.number, oldMsAgo),
      ];
      const unheard =
        unheardMsAgo === null ? null : { name: 'node', mayHaveAcceptedUntilMs: model.nowMs - unheardMsAgo };
      return finishRotation(key, { force, evidence: { uses, unheard, windowMs: 300_000 } }, model.nowMs);
    },
  );

const newExpiry = (inMs: number | null): KeyCommand =>
  new KeyCommand(
    `update(expires in ${inMs} ms)`,
    (model) => expected.expectExpiry(model, inMs === null ? Number.POSITIVE_INFINITY : model.nowMs + inMs),
    (model, key, real) =>
      updateKey(key, real.keyspace, { expiresAtMs: inMs === null ? null : model.nowMs + inMs }, model.nowMs),
  );

const spans = fc.oneof(fc.constantFrom(0, 1, 999, 1000, 299_999, 300_000), fc.nat(2_000_000));
const seconds = fc.constantFrom(0, 1, 60, 600, 3600, 4000);

/** Few and near values, so that boundaries are met exactly and often. */
export const keyCommands: readonly fc.Arbitrary<fc.Command<KeyModel, Real>>[] = [
  fc
    .tuple(
      fc.option(fc.constantFrom(1, 60, 600, 3600, 7200), { nil: undefined }),
      fc.option(spans, { nil: undefined }),
    )
    .map(([ttlSeconds, beginsInMs]) => new Issue(ttlSeconds, beginsInMs)),
  fc.tuple(seconds, fc.boolean()).map(([grace, cut]) => rotation(grace, cut)),
  fc.tuple(seconds, fc.boolean()).map(([grace, cut]) => rotation(grace, cut)),
  fc
    .record({
      force: fc.boolean(),
      oldMsAgo: fc.option(spans, { nil: null }),
      newMsAgo: fc.option(spans, { nil: null }),
      unheardMsAgo: fc.option(spans, { nil: null }),
    })
    .map(({ force, ...told }) => finishing(force, told)),
  fc.option(spans, { nil: null }).map(newExpiry),
  spans.map((byMs) => new Advance(byMs)),
  spans.map((byMs) => new Advance(byMs)),
  fc.constant(new RevokeOwnerKeys()),
  fc.constant(
    new KeyCommand('revoke', expected.expectRevoke, (model, key) => revokeKey(key, {}, model.nowMs)),
  ),
  fc.constant(
    new KeyCommand('suspend', expected.expectSuspend, (model, key) => suspendKey(key, model.nowMs)),
  ),
  fc.constant(new KeyCommand('resume', expected.expectResume, (model, key) => resumeKey(key, model.nowMs))),
];

/** The invariants of SPEC.md, after every step. `before` is the record as it was before it. */
function checkInvariants(model: KeyModel, real: Real, before: KeyRecord | undefined): void {
  const { key } = real;
  if (key === undefined) throw new Error('no key was issued');
  const { nowMs } = model;
  const live = liveVersionsAt(key, nowMs);
  expect(live.length, 'I1').toBeLessThanOrEqual(2);
  expect(live.at(-1)?.number, 'I2: the newest version works as long as the key does').toBe(
    key.versions.at(-1)?.number,
  );
  expect(key.revision, 'I3').toBe(model.revision);
  if (before?.state === 'revoked') expect(key, 'I4').toBe(before);
  for (const version of key.versions) {
    if (version.state !== 'grace') continue;
    expect(effectiveExpiryMs(key, version), 'I5').toBe(version.retiresAtMs);
  }
  for (const version of before?.versions ?? []) {
    const now = key.versions.find(({ number }) => number === version.number);
    if (now === undefined) expect(versionStateAt(version, nowMs), 'I8').not.toBe('active');
    else if (version.state === 'retired') expect(now, 'I7').toEqual(version);
    else if (versionStateAt(version, nowMs) === 'retired')
      expect(now.retiresAtMs, 'I7').toBe(version.retiresAtMs);
  }
  expect(key.versions.length, 'I8').toBeLessThanOrEqual(3);
  expect(
    key.versions.map(({ number }) => number),
    'I8',
  ).toEqual(model.versions.slice(-3).map(({ number }) => number));
  checkVerdicts(model, real, keyFactOf(key));
}

/** What verifiers say of each version, by the facts they would get, is what the model says (I6, I9). */
function checkVerdicts(model: KeyModel, real: Real, fact: KeyFact): void {
  for (const version of fact.versions) {
    const standing = {
      keyspaceMatches: true,
      keyState: fact.state,
      versionState: version.state,
      versionRetiresAtMs: version.retiresAtMs ?? Number.POSITIVE_INFINITY,
      mintedAtMs: version.mintedAtMs,
      expiresAtMs: fact.expiresAtMs ?? Number.POSITIVE_INFINITY,
      notBeforeMs: fact.notBeforeMs ?? Number.NEGATIVE_INFINITY,
      ownerSuspended: false,
      ownerKeysNotBeforeMs: real.owner.keysNotBeforeMs ?? Number.NEGATIVE_INFINITY,
      keyspaceSuspended: false,
      keyspaceKeysNotBeforeMs: Number.NEGATIVE_INFINITY,
      scopesCovered: true,
      lacksSignature: false,
      parentRefusal: 'none' as const,
      isEnrollment: false,
    };
    const modelled = model.versions.find(({ number }) => number === version.number);
    if (modelled === undefined) throw new Error('the model does not know this version');
    expect(judge(standing, model.nowMs, model.nowMs), `version ${version.number}`).toBe(
      expected.expectVerdict(model, modelled),
    );
  }
}
