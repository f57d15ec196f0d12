import { describe, expect, it } from 'vitest';
import { boundMs, finalKey, StoryTeller, wallOriginMs } from '../testing/story-teller.ts';
import { checkHistory } from './check-history.ts';
import type { Evidence } from './evidence.ts';
import type { InvariantId } from './verdict.ts';

/*
 * Every promise has histories here that break it, which the checker has to call broken, each beside one that differs by a hair and
 * keeps it.
 */

const never = Number.POSITIVE_INFINITY;
const tell = () => new StoryTeller();
const broken = (evidence: Evidence): readonly InvariantId[] =>
  checkHistory(evidence)
    .verdicts.filter(({ holds }) => !holds)
    .map(({ id }) => id);
/** Looks at one promise alone: histories here are of a few operations, and leave others open. */
const breaks = (id: InvariantId, evidence: Evidence): boolean => broken(evidence).includes(id);

describe('I1, bounded revocation', () => {
  const revoked = () => tell().issue().write('revoke', [100, 200]);

  it('is broken by an acceptance that was asked for after ack + T, and tells the window', () => {
    const late = revoked().verify([200 + boundMs + 1, 200 + boundMs + 5], 'valid');
    expect(breaks('I1', late.evidence())).toBe(true);
    expect(checkHistory(late.evidence()).windows).toEqual([
      { key: 1, keyspace: 'strict', ackMs: 200, windowMs: boundMs + 5 },
    ]);
  });

  it('is kept by one that was asked for before that, or that ended before the acknowledgement', () => {
    expect(
      breaks(
        'I1',
        revoked()
          .verify([200 + boundMs, 9_000], 'valid')
          .evidence(),
      ),
    ).toBe(false);
    expect(checkHistory(revoked().verify([10, 150], 'valid').evidence()).windows[0]?.windowMs).toBe(0);
  });

  it('is broken by an acceptance after what the reply itself called effective_by', () => {
    const effective = tell()
      .issue()
      .write('revoke', [100, 200], { result: { effectiveByMs: wallOriginMs + 700 } })
      .verify([800, 810], 'valid');
    expect(breaks('I1', effective.evidence())).toBe(true);
  });

  it('holds for a suspension until somebody asks for a resumption', () => {
    const suspended = () => tell().issue().write('suspend', [100, 200]);
    const accepted: [number, number] = [5_000, 5_010];
    expect(breaks('I1', suspended().verify(accepted, 'valid').evidence())).toBe(true);
    const resumed = suspended().write('resume', [4_900, never]).verify(accepted, 'valid');
    expect(breaks('I1', resumed.evidence())).toBe(false);
  });

  it('holds for a version whose rotation was finished', () => {
    const finished = () =>
      tell()
        .issue()
        .write('rotate', [20, 30], { result: { version: 2 } })
        .write('finish', [100, 200], { result: { version: 2 } });
    expect(breaks('I1', finished().verify([5_000, 5_001], 'valid', { version: 1 }).evidence())).toBe(true);
    expect(breaks('I1', finished().verify([5_000, 5_001], 'valid', { version: 2 }).evidence())).toBe(false);
  });

  it('says nothing of a revocation whose outcome nobody knows', () => {
    const unknown = tell().issue().write('revoke', [100, never]).verify([90_000, 90_001], 'valid');
    expect(breaks('I1', unknown.evidence())).toBe(false);
  });
});

describe('I2, nothing acknowledged is lost', () => {
  it('is broken by an issue, a rotation or a revocation that is not there at the end', () => {
    expect(breaks('I2', tell().issue().evidence())).toBe(true);
    const rotated = tell()
      .issue()
      .write('rotate', [20, 30], { result: { version: 2 } });
    expect(breaks('I2', rotated.evidence({ finalKeys: [finalKey('active', 1)] }))).toBe(true);
    expect(breaks('I2', rotated.evidence({ finalKeys: [finalKey('active', 2)] }))).toBe(false);
    const revoked = tell().issue().write('revoke', [20, 30]);
    expect(breaks('I2', revoked.evidence({ finalKeys: [finalKey('active')] }))).toBe(true);
    expect(breaks('I2', revoked.evidence({ finalKeys: [finalKey('revoked')] }))).toBe(false);
  });

  it('leaves what is unknown open both ways, and stays with what failed', () => {
    const unknown = tell().issue().write('revoke', [20, never]);
    for (const state of ['active', 'revoked'])
      expect(breaks('I2', unknown.evidence({ finalKeys: [finalKey(state)] }))).toBe(false);
    const failed = tell().issue().write('revoke', [20, 30], { outcome: 'fail', status: 503 });
    expect(breaks('I2', failed.evidence({ finalKeys: [finalKey('revoked')] }))).toBe(true);
  });

  it('is broken by a key that nobody asked for', () => {
    expect(breaks('I2', tell().evidence({ finalKeys: [finalKey('active', 1, 7)] }))).toBe(true);
  });

  it('is broken by a state that was read, and is undone without anybody having undone it', () => {
    const read = { at: 'server-1', result: { life: 'revoked' as const, versions: 1 } };
    const story = tell().issue().write('revoke', [20, never]).op('read', [50, 60], read);
    expect(breaks('I2', story.evidence({ finalKeys: [finalKey('active')] }))).toBe(true);
    expect(breaks('I2', story.evidence({ finalKeys: [finalKey('revoked')] }))).toBe(false);
  });

  it('is broken by a verifier that was asked to be as fresh as the last change, and was not', () => {
    const suspended = (code: string) =>
      tell().issue().write('suspend', [20, 30]).verify([40, 50], code, { minSeq: '1.0.2' });
    const finalKeys = [finalKey('suspended')];
    expect(breaks('I2', suspended('valid').evidence({ finalKeys }))).toBe(true);
    expect(breaks('I2', suspended('suspended').evidence({ finalKeys }))).toBe(false);
  });
});

describe('I3, no false reject', () => {
  it('is broken by any refusal of a key that was valid all the while', () => {
    for (const code of ['unknown', 'revoked', 'expired', 'suspended', 'malformed'])
      expect(breaks('I3', tell().issue().verify([20, 30], code).evidence())).toBe(true);
  });

  it('is kept by 503 and 429, by no reply, and by a key that is not acknowledged yet', () => {
    const away = { outcome: 'fail' as const, status: 503 };
    expect(breaks('I3', tell().issue().verify([20, 30], 'stale', away).evidence())).toBe(false);
    expect(breaks('I3', tell().issue().verify([20, never], '').evidence())).toBe(false);
    expect(breaks('I3', tell().issue().verify([5, 30], 'unknown').evidence())).toBe(false);
  });

  it('accuses nobody while a revocation is under way, and again once a suspension was resumed', () => {
    const unknown = tell().issue().write('revoke', [20, never]).verify([90_000, 90_001], 'revoked');
    expect(breaks('I3', unknown.evidence())).toBe(false);
    const resumed = tell().issue().write('suspend', [20, 30]).write('resume', [40, 50]);
    expect(breaks('I3', resumed.verify([60, 70], 'suspended').evidence())).toBe(true);
  });

  it('holds for both versions of a rotation until the grace is over', () => {
    const rotated = (times: [number, number]) =>
      tell()
        .issue()
        .write('rotate', [20, 30], { result: { version: 2, retiresAtMs: wallOriginMs + 60_000 } })
        .verify(times, 'expired', { version: 1 });
    expect(breaks('I3', rotated([40, 50]).evidence())).toBe(true);
    expect(breaks('I3', rotated([60_000, 60_010]).evidence())).toBe(false);
  });
});

describe('I4, one effect for one Idempotency-Key', () => {
  it('is broken by a replay that is refused, and not by one that is told to come again', () => {
    const again = (half: object) =>
      tell()
        .issue()
        .write('issue', [50, 60], { idempotencyKey: 'issue-1', outcome: 'fail', ...half });
    expect(breaks('I4', again({ status: 409, code: 'already_revoked' }).evidence())).toBe(true);
    for (const half of [
      { status: 503, code: 'overloaded' },
      { status: 409, code: 'idempotency_in_progress' },
    ])
      expect(breaks('I4', again(half).evidence())).toBe(false);
  });

  it('is broken by a replay with another secret, and by two keys of one name', () => {
    const again = (secretDigest: string) =>
      tell()
        .issue()
        .write('issue', [50, 60], {
          idempotencyKey: 'issue-1',
          result: { keyId: 'key_1', version: 1, secretDigest, seq: '1.0.1' },
        });
    expect(breaks('I4', again('b').evidence())).toBe(true);
    expect(breaks('I4', again('a').evidence())).toBe(false);
    const twice = [finalKey('active'), { ...finalKey('active'), keyId: 'key_2' }];
    expect(breaks('I4', tell().issue().evidence({ finalKeys: twice }))).toBe(true);
  });
});

describe('I5, expiry and refusals that stay', () => {
  it('is broken by an acceptance past the expiry, or past the grace of a version', () => {
    const expiring = tell().issue({ result: { keyId: 'key_1', expiresAtMs: wallOriginMs + 100 } });
    expect(breaks('I5', expiring.verify([101, 110], 'valid').evidence())).toBe(true);
    const rotated = (askedMs: number) =>
      tell()
        .issue()
        .write('rotate', [20, 30], { result: { version: 2, retiresAtMs: wallOriginMs + 500 } })
        .verify([askedMs, askedMs + 1], 'valid', { version: 1 });
    expect(breaks('I5', rotated(501).evidence())).toBe(true);
    expect(breaks('I5', rotated(499).evidence())).toBe(false);
  });

  it('is broken by who said revoked and then valid, and not by another who has not heard of it', () => {
    const story = (at: string) =>
      tell().issue().write('revoke', [20, 30]).verify([40, 50], 'revoked').verify([60, 70], 'valid', { at });
    expect(breaks('I5', story('node-1').evidence())).toBe(true);
    expect(breaks('I5', story('node-2').evidence())).toBe(false);
  });
});

describe('I6, feed without a hole and in order', () => {
  const row = (seq: number, more = {}) => ({
    seq,
    type: 'key.issued',
    subject: `key_${seq}`,
    revision: 1,
    ...more,
  });
  const shard = (rows: readonly ReturnType<typeof row>[], headSeq = rows.length) => ({
    shard: 0,
    headSeq,
    rows,
  });
  const event = (seq: number) => ({ epoch: 1, shard: 0, seq, type: 'key.issued', subject: `key_${seq}` });
  const whole = [row(1), row(2), row(3)];

  it('is broken by a hole, by a head that is elsewhere, and by a key that goes back', () => {
    expect(breaks('I6', tell().evidence({ feed: [shard([row(1), row(3)], 3)] }))).toBe(true);
    expect(breaks('I6', tell().evidence({ feed: [shard(whole, 4)] }))).toBe(true);
    const back = [row(1, { subject: 'key_a', revision: 5 }), row(2, { subject: 'key_a', revision: 4 })];
    expect(breaks('I6', tell().evidence({ feed: [shard(back)] }))).toBe(true);
    expect(breaks('I6', tell().evidence({ feed: [shard(whole)] }))).toBe(false);
  });

  it('is broken by an event that came twice, out of order, or never', () => {
    const read = (seqs: readonly number[]) =>
      tell().evidence({ feed: [shard(whole)], events: seqs.map(event) });
    for (const seqs of [
      [1, 2, 2, 3],
      [2, 1, 3],
      [1, 3],
    ])
      expect(breaks('I6', read(seqs))).toBe(true);
    expect(breaks('I6', read([1, 2, 3]))).toBe(false);
  });

  it('is broken by an acknowledged change that is not in it, or is in it twice', () => {
    const issued = tell().issue();
    expect(breaks('I6', issued.evidence({ feed: [shard([])] }))).toBe(true);
    const twice = [row(1, { subject: 'key_1' }), row(2, { subject: 'key_1' })];
    expect(breaks('I6', issued.evidence({ feed: [shard(twice)] }))).toBe(true);
    expect(breaks('I6', issued.evidence({ feed: [shard([row(1)])] }))).toBe(false);
  });
});

describe('I7, overlap of a rotation', () => {
  it('is broken by three live versions, and by none of a key that is active', () => {
    const three = {
      ...finalKey('active'),
      versions: [1, 2, 3].map((version) => ({ version, state: 'active' })),
    };
    const none = { ...finalKey('active'), versions: [{ version: 1, state: 'retired' }] };
    for (const key of [three, none]) expect(breaks('I7', tell().evidence({ finalKeys: [key] }))).toBe(true);
    expect(breaks('I7', tell().evidence({ finalKeys: [finalKey('active', 3)] }))).toBe(false);
  });

  it('is broken by a version that works beside its two successors', () => {
    const story = (askedMs: number) =>
      tell()
        .issue()
        .write('rotate', [20, 30], { result: { version: 2 } })
        .write('rotate', [40, 50], { result: { version: 3 } })
        .verify([askedMs, askedMs + 1], 'valid', { version: 1 });
    expect(breaks('I7', story(50 + boundMs + 1).evidence())).toBe(true);
    expect(breaks('I7', story(50 + boundMs).evidence())).toBe(false);
  });

  it('is broken by a finish without force while the old version is in use', () => {
    const story = (half: object, usedMs: number) =>
      tell()
        .issue()
        .write('rotate', [20, 30], { result: { version: 2 } })
        .verify([usedMs, usedMs + 1], 'valid', { version: 1 })
        .write('finish', [20_000, 20_010], { result: { version: 2 }, ...half });
    expect(breaks('I7', story({}, 10_000).evidence())).toBe(true);
    expect(breaks('I7', story({ force: true }, 10_000).evidence())).toBe(false);
    // Within what a verifier may take to tell of it, and before the rotation.
    expect(breaks('I7', story({}, 16_000).evidence())).toBe(false);
    expect(breaks('I7', story({}, 25).evidence())).toBe(false);
  });
});

describe('I8, recovery within a bound', () => {
  const fault = (recoveredMs: number) => ({
    name: 'cut',
    affects: ['node-1'],
    beganMs: 100,
    endedMs: 200,
    recoveredMs,
    recoverWithinMs: 1_000,
  });

  it('is broken by a fault that is over, and after which something is served late or never', () => {
    expect(breaks('I8', tell().evidence({ faults: [fault(1_201)] }))).toBe(true);
    expect(breaks('I8', tell().evidence({ faults: [fault(never)] }))).toBe(true);
    expect(breaks('I8', tell().evidence({ faults: [fault(1_200)] }))).toBe(false);
  });

  it('counts as available what was answered where no fault struck', () => {
    const away = { outcome: 'fail' as const, status: 503 };
    const story = tell()
      .verify([150, 160], 'stale', away)
      .verify([150, 160], 'stale', { ...away, at: 'node-2' })
      .verify([9_000, 9_001], 'valid');
    const { availability } = checkHistory(story.evidence({ faults: [fault(900)] }));
    expect(availability).toEqual({ asked: 2, answered: 1, askedInAll: 3, answeredInAll: 1 });
  });
});

describe('I9, audit chain complete', () => {
  const chain = (more = {}) => ({
    shard: 0,
    ok: true,
    records: 1,
    problem: '',
    deeds: new Set(['key_1 key.issued']),
    ...more,
  });

  it('is broken by a chain that does not hold, and by a change without a record', () => {
    expect(breaks('I9', tell().evidence({ audit: [chain({ ok: false, problem: 'altered at 1' })] }))).toBe(
      true,
    );
    expect(
      breaks(
        'I9',
        tell()
          .issue()
          .evidence({ audit: [chain({ deeds: new Set() })] }),
      ),
    ).toBe(true);
    expect(
      breaks(
        'I9',
        tell()
          .issue()
          .evidence({ audit: [chain()] }),
      ),
    ).toBe(false);
    const feed = [{ shard: 0, headSeq: 2, rows: [] }];
    expect(breaks('I9', tell().evidence({ audit: [chain()], feed }))).toBe(true);
  });
});

describe('I10, no secret anywhere', () => {
  it('is broken by one that was found', () => {
    const found = [{ where: 'the log of node-1', of: 'key 1' }];
    expect(breaks('I10', tell().evidence({ secrets: { bytes: 1, places: 1, found } }))).toBe(true);
  });
});
