import { describe, expect, test } from 'vitest';
import { lastingManager } from '../../access/testing/lasting-manager.ts';
import { ManualEffect } from '../../access/testing/manual-effect.ts';
import type { UseCasePorts } from '../../access/use-case-ports.ts';
import { endedReply } from './ended-reply.ts';

const caller = lastingManager();
const change = { at: { epoch: 1, shard: 3, seq: 77 }, effectiveByMs: 60_000 };
const whileConnected = <Result>(work: (gone: AbortSignal) => Promise<Result>): Promise<Result> =>
  work(new AbortController().signal);

describe('the reply to a change that takes a right away', () => {
  test('comes at once where it was not to be waited for, and nobody is asked', async () => {
    const effect = new ManualEffect();
    const ports = { awaitEffective: effect.awaitEffective } as UseCasePorts;
    const reply = await endedReply(ports, { query: {}, caller, whileConnected }, change, { id: 'a' });
    expect(reply).toEqual({ id: 'a', seq: '1.3.77' });
    expect(effect.asked).toEqual([]);
  });

  test('names the laggards once the wait is over', async () => {
    const effect = new ManualEffect();
    const ports = { awaitEffective: effect.awaitEffective } as UseCasePorts;
    const call = { query: { wait: 'effective' as const }, caller, whileConnected };
    const replied = endedReply(ports, call, change, { id: 'a' });
    effect.answer({ atMs: 60_000, verifiers: 2, laggards: [{ id: 'v', name: 'eu', leaseAgeMs: 9 }] });
    expect(await replied).toEqual({
      id: 'a',
      seq: '1.3.77',
      effective: {
        at: '1970-01-01T00:01:00.000Z',
        verifiers: 2,
        laggards: [{ id: 'v', name: 'eu', lease_age_ms: 9 }],
      },
    });
  });
});
