import { idFromUuidBytes, leaseSecondsMax, type WorkspaceId } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Heads } from '../feed/feed-source.ts';
import { decodeLeaseRequest, encodeLeaseRequest } from '../http/lease-messages.ts';
import {
  activeMsMax,
  downstreamNamedMax,
  namedOfCredentialMax,
  reachNamedMax,
  rollOfCredentialMax,
  rollSlackMs,
  rollSweepMs,
  unansweredKeptMs,
} from '../limits.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { LeaseRoll } from './lease-roll.ts';
import { compressed, countOf, type RollReport } from './roll-report.ts';

const workspaceId: WorkspaceId = idFromUuidBytes('ws', new Uint8Array(16).fill(1));
const owner = { workspaceId, credential: 'key_a' };
const at = (...seqs: number[]): Heads => ({ epoch: 1, seqs });
const report = (id: string, applied: Heads | undefined): RollReport => ({
  id,
  name: id,
  kind: 'library',
  applied,
  leaseAgeMs: 5,
});

function bench(leaseMsMax?: () => number) {
  const time = { nowMs: 0 };
  const clock = { monotonicMs: () => time.nowMs };
  return { time, roll: new LeaseRoll({ clock, ...(leaseMsMax === undefined ? {} : { leaseMsMax }) }) };
}

const idsOf = (roll: LeaseRoll) => [...roll.entries()].map(({ report: { id } }) => id);

describe('those behind a relay, however many', () => {
  const told = fc.record({
    id: fc.stringMatching(/^[a-z]{1,4}$/),
    name: fc.constant('n'),
    kind: fc.constant('library' as const),
    applied: fc.option(
      fc.record({ epoch: fc.integer({ min: 1, max: 2 }), seqs: fc.tuple(fc.nat(9), fc.nat(9)) }),
      { nil: undefined },
    ),
    leaseAgeMs: fc.option(fc.nat(2 * activeMsMax), { nil: undefined }),
  });

  test('are told of in a bounded list, in which nobody stands further or is older than it is', () => {
    checkProperty(
      fc.property(fc.array(told, { maxLength: 20 }), fc.nat(5), (all, namedMax) => {
        const list = compressed(all, namedMax);
        expect(list.length).toBeLessThanOrEqual(Math.max(all.length === 0 ? 0 : namedMax + 2, 0));
        expect(countOf(list)).toBe(all.length);
        const others = list.filter(({ count }) => count !== undefined);
        for (const one of all) {
          if (list.includes(one)) continue;
          const covering = others.some(
            ({ applied, leaseAgeMs }) =>
              (applied === undefined ||
                (applied.epoch === one.applied?.epoch &&
                  applied.seqs.every((seq, shard) => seq <= (one.applied?.seqs[shard] ?? -1)))) &&
              (leaseAgeMs === undefined || leaseAgeMs <= (one.leaseAgeMs ?? -1)),
          );
          expect(covering).toBe(true);
        }
      }),
      process.env,
      300,
    );
  });

  test('fit into an ask that is taken, at the greatest number of shards', () => {
    const { roll } = bench();
    const far = at(...Array.from({ length: 256 }, () => Number.MAX_SAFE_INTEGER));
    const keyspaces = Array.from({ length: reachNamedMax }, (_, number) =>
      idFromUuidBytes('ks', new Uint8Array(16).fill(number)),
    );
    const reach = { keyspaces };
    for (let id = 0; id < rollOfCredentialMax; id += 1) roll.asked(owner, { ...report(`${id}`, far), reach });
    const downstream = roll.downstream().map((one) => ({ ...one, kind: 'library' as const }));
    const verifier = { id: 'relay', name: 'relay', kind: 'relay' as const };
    const ask = { applied: far, leaseAgeMs: 1, fresh: false };
    const text = encodeLeaseRequest({ verifier, ask, downstream });
    expect(text.length).toBeLessThan(512 * 1024);
    const decoded = decodeLeaseRequest(JSON.parse(text));
    expect(countOf(decoded.downstream)).toBe(rollOfCredentialMax);
    expect(decoded.downstream.length).toBeLessThanOrEqual(downstreamNamedMax + 2);
    for (const one of decoded.downstream) expect(one.reach).toEqual(reach);
  });

  test('one that died far behind does not keep the position of those that ask', () => {
    const { time, roll } = bench();
    for (let id = 0; id < 100; id += 1) roll.asked(owner, report(`dead-${id}`, at(1)));
    time.nowMs = activeMsMax + 1;
    for (let id = 0; id < 100; id += 1) roll.asked(owner, report(`live-${id}`, at(9)));
    const together = roll.downstream().filter(({ count }) => count !== undefined);
    expect(together).toMatchObject([
      { applied: at(9), leaseAgeMs: 0, count: 100 },
      { applied: at(1), leaseAgeMs: activeMsMax + 1, count: 100 - downstreamNamedMax },
    ]);
  });
});

describe('the share of one credential', () => {
  test('is all that it takes: past it newcomers are refused, and neither its own nor those of others are', () => {
    const { time, roll } = bench();
    for (let id = 0; id < rollOfCredentialMax; id += 1) roll.asked(owner, report(`${id}`, at(1)));
    expect(() => roll.asked(owner, report('more', at(1)))).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterMs: rollSweepMs }),
    );
    expect(roll.asked(owner, report('7', at(2))).stands).toEqual(at(2));
    expect(roll.asked({ ...owner, credential: 'key_b' }, report('more', at(1))).isNew).toBe(true);
    time.nowMs = unansweredKeptMs + 1;
    expect(roll.asked(owner, report('more', at(1))).isNew).toBe(true);
    expect(idsOf(roll)).toEqual(['more']);
  });

  test('bounds what is kept of those behind its relays, who are told of together then', () => {
    const { roll } = bench();
    const behind = Array.from({ length: 1_000 }, (_, id) => report(`d-${id}`, at(id + 1)));
    for (let id = 0; id < 200; id += 1) roll.asked(owner, report(`r-${id}`, at(2_000)), behind);
    const kept = [...roll.entries()].reduce((sum, { downstream }) => sum + downstream.length, 0);
    expect(kept).toBeLessThanOrEqual(namedOfCredentialMax + 2 * 200);
    for (const { stands, downstream } of roll.entries()) {
      expect(stands).toEqual(at(1));
      expect(countOf(downstream)).toBe(1_000);
    }
    const other = roll.asked({ ...owner, credential: 'key_b' }, report('r', at(2_000)), behind);
    expect(other.downstream.length).toBe(downstreamNamedMax + 1);
  });
});

describe('who leaves the roll', () => {
  test('one that was answered once its lease has ended, one that was not after a moment, and neither sooner', () => {
    const { time, roll } = bench(() => 60_000);
    roll.asked(owner, report('refused', undefined));
    roll.answered(roll.asked(owner, report('answered', undefined)), at(3));
    time.nowMs = unansweredKeptMs;
    roll.forget();
    expect(roll.size).toBe(2);
    time.nowMs = 60_600 + rollSlackMs;
    roll.forget();
    expect(idsOf(roll)).toEqual(['answered']);
    time.nowMs += 1;
    roll.forget();
    expect(roll.size).toBe(0);
  });

  test('keeps one for the longest lease that there is where none is named, and for a longer one that was lowered since', () => {
    const { time, roll } = bench();
    roll.answered(roll.asked(owner, report('one', at(1))), at(1));
    const lowered = bench(() => (lowered.time.nowMs < 10 ? 60_000 : 1_000));
    lowered.roll.answered(lowered.roll.asked(owner, report('one', at(1))), at(1));
    lowered.time.nowMs = 10;
    lowered.roll.answered(lowered.roll.asked(owner, report('one', at(1))), at(1));
    time.nowMs = leaseSecondsMax * 1010;
    lowered.time.nowMs = 60_600;
    roll.forget();
    lowered.roll.forget();
    expect([roll.size, lowered.roll.size]).toEqual([1, 1]);
  });

  test('one that was forgotten while it waited for its answer gets none', () => {
    const { time, roll } = bench();
    const entry = roll.asked(owner, report('slow', at(1)));
    time.nowMs = unansweredKeptMs + 1;
    roll.forget();
    expect(() => roll.answered(entry, at(1))).toThrow(expect.objectContaining({ code: 'stale' }));
  });
});

test('one that comes back without its table stands at what it is answered then, not where it stood before', () => {
  const { roll } = bench();
  roll.answered(roll.asked(owner, report('again', at(9))), at(9));
  const entry = roll.asked(owner, report('again', undefined));
  expect(entry.stands).toBeUndefined();
  roll.answered(entry, at(8));
  roll.answered(roll.asked(owner, report('again', undefined)), at(10));
  expect(entry.stands).toEqual(at(8));
});
