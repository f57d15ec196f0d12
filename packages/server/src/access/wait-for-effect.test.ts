import { Fault } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import { lastingManager } from './testing/lasting-manager.ts';
import { ManualEffect } from './testing/manual-effect.ts';
import type { UseCasePorts } from './use-case-ports.ts';
import { waitForEffect } from './wait-for-effect.ts';

const caller = lastingManager();
const change = { at: { epoch: 1, shard: 3, seq: 77 }, effectiveByMs: 60_000 };
const portsWith = (more: Partial<UseCasePorts>) => more as UseCasePorts;

describe('waiting for a change to be effective', () => {
  test('asks for this very change, of the verifiers that the caller may have, and tells what came of it', async () => {
    const effect = new ManualEffect();
    const waited = waitForEffect(portsWith(effect), caller, change, new AbortController().signal);
    expect(effect.asked).toEqual([
      { workspaceId: caller.workspaceId, epoch: 1, shard: 3, seq: 77, effectiveByMs: 60_000 },
    ]);
    const outcome = { atMs: 60_000, verifiers: 4, laggards: [{ id: 'v', name: 'eu', leaseAgeMs: 9 }] };
    effect.answer(outcome);
    expect(await waited).toEqual(outcome);
  });

  test('does not turn a change that is made into a failure where too many wait', async () => {
    const effect = new ManualEffect();
    const waited = waitForEffect(portsWith(effect), caller, change, new AbortController().signal);
    effect.fail(new Fault('overloaded', { detail: 'Too many wait.' }));
    expect(await waited).toBeUndefined();
  });

  test('ends with the client that asked', async () => {
    const effect = new ManualEffect();
    const gone = new AbortController();
    const waited = waitForEffect(portsWith(effect), caller, change, gone.signal);
    gone.abort();
    expect(await waited).toBeUndefined();
  });

  test('hides no bug of the port', async () => {
    const effect = new ManualEffect();
    const waited = waitForEffect(portsWith(effect), caller, change, new AbortController().signal);
    effect.fail(new Error('a bug'));
    await expect(waited).rejects.toThrow('a bug');
  });

  test('is over at once where nobody else verifies, by the clock of the store', async () => {
    const leases = {
      ofWorkspace: async () => ({ nowMs: 5_000, lease: undefined }),
    } as unknown as UseCasePorts['leases'];
    const signal = new AbortController().signal;
    const outcome = await waitForEffect(portsWith({ leases }), caller, change, signal);
    expect(outcome).toEqual({ atMs: 5_000, verifiers: 1, laggards: [] });
  });
});
