import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import { Lease } from '../lease/lease.ts';
import { ResidentTable } from '../table/resident-table.ts';
import {
  hourMs,
  keyFact,
  keyId,
  keyRow,
  keyString,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  readyVerifier,
  sampleSeed,
  startMs,
  workspaceId,
} from '../testing/sample-facts.arbitrary.ts';
import type { Requirement } from '../verifier-port.ts';
import { KeyJudge, stale } from './judge-key.ts';

describe('what is asked of a key', () => {
  it('is not covered when it is no scope at all: a caller without types gets a refusal, not a pass', () => {
    const { verifier } = readyVerifier();
    verifier.applyKey(keyFact(1, { scopes: ['*'] }));
    for (const scopes of [
      [undefined],
      [null],
      [''],
      ['orders:read', undefined],
      new Set(['orders:read']),
      {},
    ]) {
      const requirement = { scopes } as unknown as Requirement;
      expect(verifier.verify(keyString(1), requirement)).toEqual({
        valid: false,
        code: 'insufficient_scope',
      });
    }
    expect(verifier.verify(keyString(1), { scopes: ['orders:read'] })).toMatchObject({ valid: true });
  });

  it('is found wanting again when it was found covered with something else before', () => {
    const { verifier } = readyVerifier();
    verifier.applyKey(keyFact(1, { scopes: ['orders:read'] }));
    const code = (...scopes: string[]) => verifier.verify(keyString(1), { scopes }).code;
    expect([code('orders:read'), code('orders:write'), code('orders:read', 'orders:write')]).toEqual([
      'valid',
      'insufficient_scope',
      'insufficient_scope',
    ]);
    expect(code('orders:read')).toBe('valid');
  });
});

describe('the order of refusals', () => {
  /** Everything that can be wrong with a found key, gravest first: mended one after another, each shows the next. */
  it('is: another workspace, keyspace, revoked, expired, suspended, not yet valid, scope', () => {
    const { verifier } = readyVerifier();
    verifier.applyOwner(ownerFact(1, { revision: 2, state: 'suspended', keysNotBeforeMs: startMs }));
    let revision = 0;
    let wrong = { expiresAtMs: startMs, notBeforeMs: startMs + hourMs, scopes: ['billing:read'] };
    let wanted: Requirement = { workspaceId: workspaceId(2), keyspace: 'other', scopes: ['orders:read'] };
    const code = () => {
      revision += 1;
      verifier.applyKey(keyFact(1, { ...wrong, revision }));
      return verifier.verify(keyString(1), wanted).code;
    };
    expect(code()).toBe('unknown');
    wanted = { ...wanted, workspaceId: workspaceId(1) };
    expect(code()).toBe('wrong_keyspace');
    wanted = { ...wanted, keyspace: keyspaceId(1) };
    expect(code()).toBe('revoked');
    verifier.applyOwner(ownerFact(1, { revision: 3, state: 'suspended' }));
    expect(code()).toBe('expired');
    wrong = { ...wrong, expiresAtMs: startMs + 2 * hourMs };
    expect(code()).toBe('suspended');
    verifier.applyOwner(ownerFact(1, { revision: 4 }));
    expect(code()).toBe('not_yet_valid');
    wrong = { ...wrong, notBeforeMs: startMs };
    expect(code()).toBe('insufficient_scope');
    wrong = { ...wrong, scopes: ['orders:*'] };
    expect(code()).toBe('valid');
  });
});

describe('a snapshot during which too much was told', () => {
  it('takes the lease, even where no row of the feed is missing: what was told ahead of it is lost', () => {
    const { verifier } = readyVerifier({ rowsDuringLoadMax: 2 });
    verifier.applyKey(keyFact(1));
    const load = verifier.startSnapshot();
    verifier.applyFacts(keyRow(2, keyFact(1, { revision: 2, state: 'revoked' })));
    for (const seq of [3, 4]) verifier.applyFacts(keyRow(seq, keyFact(seq)));
    expect(verifier.verify(keyString(1), {}).code).toBe('revoked');
    load.applyKeyspace(keyspaceFact(1));
    load.applyOwner(ownerFact(1));
    load.applyKey(keyFact(1));
    load.finish({ epoch: 1, seqs: [0, 0] });
    expect(verifier.verify(keyString(1), {})).toEqual(stale);
  });

  it('that ends at no position changes nothing', () => {
    const { verifier } = readyVerifier();
    verifier.applyKey(keyFact(1));
    const load = verifier.startSnapshot();
    expect(() => load.finish({ epoch: 1, seqs: [] })).toThrow('shards');
    expect(verifier.verify(keyString(1), {})).toMatchObject({ valid: true, keyId: keyId(1) });
    expect(verifier.applied()).toEqual({ epoch: 1, seqs: [0, 0] });
    expect(verifier.applyRow(keyRow(1, keyFact(2)))).toBe(true);
  });
});

/** A table that is slow to read: the process stops for 40 s while it looks at what is required of the key. */
function slowRequirement(clock: ManualVerifierClock): Requirement {
  return {
    get scopes() {
      clock.advance(40_000);
      return ['orders:read'];
    },
  };
}

describe('the lease of a verdict', () => {
  class AlwaysHeld extends Lease {
    override holds(): boolean {
      return true;
    }
  }

  function tableWithKey(lease: Lease): ResidentTable {
    const table = new ResidentTable(sampleSeed);
    table.keyspaces.apply(keyspaceFact(1), lease);
    table.owners.apply(ownerFact(1));
    table.applyKey(keyFact(1));
    return table;
  }

  it('is looked at after the table, so that a stop while the table is read counts', () => {
    const clock = new ManualVerifierClock(startMs);
    const lease = new Lease(clock, 500);
    lease.renew(clock.monotonicMs());
    const judge = new KeyJudge(clock, lease, () => 2);
    expect(judge.verify(tableWithKey(lease), keyString(1), slowRequirement(clock))).toEqual(stale);
  });

  it('would let the stop pass if it were looked at first: the planted bug is seen by the same question', () => {
    const clock = new ManualVerifierClock(startMs);
    const lease = new Lease(clock, 500);
    lease.renew(clock.monotonicMs());
    const judge = new KeyJudge(clock, new AlwaysHeld(clock, 500), () => 2);
    const leaseFirst = () =>
      lease.holds(30_000, clock.latestMs())
        ? judge.verify(tableWithKey(lease), keyString(1), slowRequirement(clock))
        : stale;
    expect(leaseFirst()).not.toEqual(stale);
  });

  it('does not come back by an answer that is older than one it has relied on', () => {
    const clock = new ManualVerifierClock(startMs);
    const lease = new Lease(clock, 500);
    const oldMs = clock.monotonicMs();
    clock.advance(100);
    lease.renew(clock.monotonicMs());
    lease.drop();
    lease.renew(oldMs);
    expect(lease.holds(30_000, clock.latestMs())).toBe(false);
    lease.renew(clock.monotonicMs());
    expect(lease.holds(30_000, clock.latestMs())).toBe(true);
  });
});
