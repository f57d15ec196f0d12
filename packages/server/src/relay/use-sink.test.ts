import { idFromUuidBytes, type KeyId, type KeyspaceId, type WorkspaceId } from '@keyswarm/core';
import type { KeyUse } from '@keyswarm/verifier';
import { describe, expect, it } from 'vitest';
import { usesWaitingMax } from '../limits.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Statement, Store } from '../storage/store.ts';
import { UseSink } from './use-sink.ts';

const bytesOf = (number: number) => new Uint8Array(new Uint32Array([number, 0, 0, number]).buffer);
const keyId = (number: number) => idFromUuidBytes('key', bytesOf(number)) as KeyId;
const keyspaceId = (number: number) => idFromUuidBytes('ks', bytesOf(number)) as KeyspaceId;
const workspaceId = idFromUuidBytes('ws', bytesOf(1)) as WorkspaceId;
const use = (key: number, atMs = 1_000, version = 1): KeyUse => ({
  keyId: keyId(key),
  keyspaceId: keyspaceId(1),
  version,
  atMs,
});

/** A store that counts what it is given, and can be made to fail. */
function sinkOver() {
  const written: (readonly unknown[])[] = [];
  const state = { isAway: false };
  const own: KeyUse[] = [];
  const query = async <R extends object>(_: Statement, params: readonly unknown[] = []) => {
    if (state.isAway) throw new Error('the store is away');
    written.push(params);
    return [] as readonly R[];
  };
  const store: Store = { query, transaction: (work) => work({ query }), close: async () => {} };
  const sink = new UseSink({
    store,
    shards: 4,
    take: (countMax) => own.splice(0, countMax),
    timers: systemTimers,
    onProblem: () => {},
  });
  const rows = () => written.flatMap(([shards]) => shards as number[]).length;
  return { sink, state, own, rows, written };
}

describe('the uses that come in', () => {
  it('are one row a version however many told of it, with the first and the last use', async () => {
    const { sink, own, written } = sinkOver();
    for (let at = 1; at <= 100; at += 1) {
      expect(sink.accept({ workspaceId }, [use(1, at * 1000), use(2, at * 1000)])).toBe(true);
    }
    own.push(use(1, 500_000));
    await sink.flush();
    expect(written).toHaveLength(1);
    const [, , , , workspaces, firsts, lasts] = written[0] as readonly unknown[][];
    // What this process accepted itself is a row of its own: it is of no caller's workspace.
    expect(workspaces?.map((id) => id === null)).toEqual([false, false, true]);
    expect(firsts?.[0]).toBe('1970-01-01T00:00:01.000Z');
    expect(lasts?.[0]).toBe('1970-01-01T00:01:40.000Z');
    expect(sink.waiting).toBe(0);
    await sink.flush();
    expect(written).toHaveLength(1);
  });

  it('of a keyspace that their teller may not read are left out', async () => {
    const { sink, rows } = sinkOver();
    expect(sink.accept({ workspaceId, keyspaces: new Set([keyspaceId(2)]) }, [use(1)])).toBe(true);
    expect(sink.accept({ workspaceId, without: new Set([keyspaceId(1)]) }, [use(1)])).toBe(true);
    await sink.flush();
    expect(rows()).toBe(0);
  });

  it('stay until they are stored, and past the bound none are taken', async () => {
    const { sink, state, own, rows } = sinkOver();
    state.isAway = true;
    own.push(use(0));
    await expect(sink.flush()).rejects.toThrow('the store is away');
    for (let at = 1; at < usesWaitingMax; at += 1) expect(sink.accept({ workspaceId }, [use(at)])).toBe(true);
    expect(sink.accept({ workspaceId }, [use(usesWaitingMax)])).toBe(false);
    own.push(use(usesWaitingMax + 1));
    await expect(sink.flush()).rejects.toThrow('the store is away');
    expect(own, 'its own stay where they are').toHaveLength(1);
    state.isAway = false;
    await sink.flush();
    expect(rows()).toBe(usesWaitingMax);
    await sink.flush();
    expect(rows()).toBe(usesWaitingMax + 1);
  });

  it('that are told while a write is under way are stored by whoever flushes after that', async () => {
    const { sink, rows } = sinkOver();
    sink.accept({ workspaceId }, [use(1)]);
    const first = sink.flush();
    sink.accept({ workspaceId }, [use(1, 9_000), use(2)]);
    await sink.flush();
    await first;
    expect(rows()).toBe(3);
    expect(sink.waiting).toBe(0);
  });
});
