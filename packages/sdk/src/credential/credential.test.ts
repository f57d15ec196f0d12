import { Secret } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import { FakeAuthority, problem, windowMs } from '../testing/fake-authority.ts';
import { SteppedRuntime } from '../testing/stepped-runtime.ts';
import { createCredential } from './credential.ts';
import type { CredentialOptions, CredentialProblem } from './credential-options.ts';
import { pauseMs, planOf } from './renew-plan.ts';

/** A disk that can be made to fail, and all that a holder does with it. */
class Disk {
  secret = 'orders_1';
  journal: string | undefined;
  readonly steps: string[] = [];
  fails: (() => Promise<void>) | undefined;

  keeping(withJournal = true): Pick<CredentialOptions, 'load' | 'store' | 'journal'> {
    const journal = {
      load: async () => this.journal,
      store: async (key: string | undefined) => {
        this.steps.push(key === undefined ? 'journal ended' : 'journal');
        this.journal = key;
      },
    };
    return {
      load: async () => this.secret,
      store: async (secret: Secret) => {
        await this.fails?.();
        this.steps.push(`stored ${secret.reveal()}`);
        this.secret = secret.reveal();
      },
      ...(withJournal ? { journal } : {}),
    };
  }
}

interface Scene {
  readonly runtime: SteppedRuntime;
  readonly authority: FakeAuthority;
  readonly disk: Disk;
  readonly problems: CredentialProblem['kind'][];
  open(more?: Partial<CredentialOptions>): ReturnType<typeof createCredential>;
}

function scene(): Scene {
  const runtime = new SteppedRuntime(0.5);
  const authority = new FakeAuthority(runtime);
  const disk = new Disk();
  const problems: CredentialProblem['kind'][] = [];
  return {
    runtime,
    authority,
    disk,
    problems,
    open: (more = {}) =>
      createCredential({
        baseUrl: 'http://localhost:1',
        fetch: authority.fetch,
        runtime,
        retry: { attemptsMax: 1 },
        onProblem: ({ kind }) => problems.push(kind),
        ...disk.keeping(),
        ...more,
      }),
  };
}

const middleMs = (windowMs.opens + windowMs.closes) / 2;

describe('a credential', () => {
  test('is renewed at a moment drawn within its window: stored first, then used, then proved', async () => {
    const { runtime, authority, disk, open } = scene();
    const seen: string[] = [];
    const credential = await open({
      onChange: ({ secret }) => void seen.push(`${secret.reveal()}, stored ${disk.secret}`),
    });
    expect(credential.authorization()).toBe('Bearer orders_1');
    await runtime.advance(middleMs - 1);
    expect(authority.versions).toHaveLength(1);
    await runtime.advance(2_000);
    expect(credential.current.reveal()).toBe('orders_2');
    expect(disk.steps).toEqual(['journal', 'stored orders_2', 'journal ended']);
    expect(seen).toEqual(['orders_2, stored orders_2']);
    expect(authority.newest.used, 'asked about at once, by the new one').toBe(true);
    await runtime.advance(middleMs + 2_000);
    expect(credential.current.reveal()).toBe('orders_3');
    await credential.close();
  });

  test('that crashed before it stored the answer gets the very same secret, by the key that it kept', async () => {
    const { runtime, authority, disk, open, problems } = scene();
    disk.fails = () => Promise.reject(new Error('power is out'));
    const crashed = await open();
    await runtime.advance(middleMs + 1_000);
    expect(authority.versions).toHaveLength(2);
    await crashed.close();
    expect([disk.secret, problems[0]]).toEqual(['orders_1', 'not_stored']);
    disk.fails = undefined;
    const next = await open();
    await runtime.asleep();
    expect(next.current.reveal()).toBe('orders_2');
    expect([disk.secret, disk.journal]).toEqual(['orders_2', undefined]);
    expect(authority.versions).toHaveLength(2);
    await next.close();
  });

  test('that crashed after it stored it goes on with the stored one', async () => {
    const { runtime, authority, disk, open } = scene();
    const first = await open();
    await runtime.advance(middleMs + 2_000);
    await first.close();
    disk.journal = 'fresh-1';
    const next = await open();
    await runtime.asleep();
    expect([next.current.reveal(), disk.journal]).toEqual(['orders_2', undefined]);
    expect(authority.versions).toHaveLength(2);
    await next.close();
  });

  test('that keeps no journal gets another secret in place of the lost one, and no third version', async () => {
    const { runtime, authority, disk, open } = scene();
    disk.fails = () => Promise.reject(new Error('power is out'));
    const crashed = await open({ ...disk.keeping(false), journal: undefined });
    await runtime.advance(middleMs + 1_000);
    await crashed.close();
    disk.fails = undefined;
    const next = await open({ ...disk.keeping(false), journal: undefined });
    await runtime.advance(60_000);
    expect(next.current.reveal()).toBe('orders_3');
    expect(authority.versions.map(({ number }) => number)).toEqual([1, 2]);
    await next.close();
  });

  test('asks again by the same Idempotency-Key when the answer was lost on its way', async () => {
    const { runtime, authority, disk, open, problems } = scene();
    let lost = 0;
    authority.trouble = (answer, name) => {
      if (name !== 'self/renew' || lost === 2) return answer();
      lost += 1;
      answer();
      throw new TypeError('the connection was reset');
    };
    const credential = await open();
    await runtime.advance(middleMs + 30_000);
    expect(lost).toBe(2);
    expect([credential.current.reveal(), disk.secret]).toEqual(['orders_2', 'orders_2']);
    expect(problems).toEqual(['failed', 'failed']);
    await credential.close();
  });

  test('is used from memory shortly before the old one ends, where it can not be stored', async () => {
    const { runtime, disk, open } = scene();
    disk.fails = () => Promise.reject(new Error('the disk is full'));
    const credential = await open();
    await runtime.advance(middleMs + 200_000);
    expect(credential.current.reveal()).toBe('orders_1');
    await runtime.advance(150_000);
    expect(credential.current.reveal()).toBe('orders_2');
    disk.fails = undefined;
    await runtime.advance(120_000);
    expect(disk.secret).toBe('orders_2');
    await credential.close();
  });

  test('keeps what it has and backs off with jitter while nobody can be asked', async () => {
    const { runtime, authority, open, problems } = scene();
    authority.trouble = () => problem(503, 'overloaded');
    const credential = await open();
    await runtime.advance(240_000);
    expect(credential.authorization()).toBe('Bearer orders_1');
    expect(new Set(problems)).toEqual(new Set(['failed']));
    const pauses = runtime.pausesMs.slice(0, 8);
    expect(pauses.slice(0, 6)).toEqual([...pauses.slice(0, 6)].sort((a, b) => a - b));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_000);
    authority.trouble = undefined;
    await runtime.advance(middleMs);
    expect(credential.current.reveal()).toBe('orders_2');
    await credential.close();
  });

  test('takes what another instance has stored, and tells of it where nobody has', async () => {
    const { runtime, authority, disk, open, problems } = scene();
    const one = await open();
    const other = await open({ journal: undefined });
    await runtime.advance(middleMs + 90_000);
    expect(new Set([one.current.reveal(), other.current.reveal(), disk.secret])).toEqual(
      new Set(['orders_2']),
    );
    await other.close();
    await one.close();
    const stolen = 'orders_1';
    disk.secret = stolen;
    expect(authority.newest.used).toBe(true);
    const robbed = await open();
    await runtime.asleep();
    expect(problems).toContain('superseded');
    expect(robbed.current.reveal()).toBe(stolen);
    await robbed.close();
  });

  test('asks at once when it is told of a renewal, and is woken by closing', async () => {
    const { runtime, authority, open } = scene();
    const credential = await open({ pollMs: 3_600_000 });
    await runtime.asleep();
    const before = authority.asked.length;
    credential.hint();
    await runtime.advance(0);
    expect(authority.asked.length).toBe(before + 1);
    await credential.close();
  });

  test('is not made of what can not be a key, or not be loaded', async () => {
    const { open } = scene();
    await expect(open({ load: async () => 'two words' })).rejects.toThrow('printable ASCII');
    await expect(open({ load: () => Promise.reject(new Error('no such file')) })).rejects.toThrow(
      'no such file',
    );
    expect(String((await open({ load: async () => new Secret('orders_1\n'.trim()) })).current)).toBe(
      '[secret]',
    );
  });
});

describe('the plan of a renewal', () => {
  const told = {
    expires_at: '2030-01-01T01:00:00.000Z',
    renew_after: '2030-01-01T00:40:00.000Z',
    renew_by: '2030-01-01T00:50:00.000Z',
  };

  test('draws within the window, and stands as long as the window does', () => {
    const opensMs = Date.parse(told.renew_after);
    const plan = planOf(told, 0.25);
    expect(plan.renewAtMs).toBe(opensMs + 150_000);
    expect(planOf(told, 0.9, plan).renewAtMs).toBe(plan.renewAtMs);
    const sooner = { ...told, renew_after: '2030-01-01T00:10:00.000Z', renew_by: '2030-01-01T00:10:30.000Z' };
    expect(planOf(sooner, 0.5, plan).renewAtMs).toBe(Date.parse(sooner.renew_after) + 15_000);
    expect(planOf({ ...told, renew_after: null }, 0.5).renewAtMs).toBeNull();
  });

  test('pauses double up to a bound, and are drawn from their upper half', () => {
    const bounds = { min: 1_000, max: 60_000 };
    expect([0, 1, 2, 50].map((tries) => pauseMs(tries, 0, bounds))).toEqual([500, 1_000, 2_000, 30_000]);
    expect(pauseMs(50, 1, bounds)).toBe(60_000);
  });
});
