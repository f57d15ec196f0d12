import { idFromUuidBytes, type KeyspaceId, uuidV8FromHash } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import type { Leases } from '../storage/reader-port.ts';
import { effectiveByOfKeyspace } from './effective-by.ts';
import { LeaseReads } from './lease-reads.ts';
import type { UseCasePorts } from './use-case-ports.ts';

const idOf = (at: number): KeyspaceId => idFromUuidBytes('ks', uuidV8FromHash(new Uint8Array(32).fill(at)));
const leasesOf = (nowMs: number, ids: readonly KeyspaceId[]): Leases => ({
  nowMs,
  keyspaces: new Map(ids.map((id) => [id, { leaseMs: 1000, formerUntilMs: null }])),
  workspaces: new Map(),
});

/** A reader that answers when it is told to. */
function heldReader() {
  const asked: { readonly ids: readonly KeyspaceId[]; answer(leases: Leases): void; fail(): void }[] = [];
  let onAsked: (() => void) | undefined;
  return {
    asked,
    /** Resolves once so many rounds have begun. */
    async until(count: number): Promise<void> {
      while (asked.length < count) {
        await new Promise<void>((resolve) => {
          onAsked = resolve;
        });
      }
    },
    leases({ keyspaces }: { readonly keyspaces: readonly KeyspaceId[] }): Promise<Leases> {
      const { promise, resolve, reject } = Promise.withResolvers<Leases>();
      asked.push({ ids: keyspaces, answer: resolve, fail: () => reject(new Error('away')) });
      onAsked?.();
      return promise;
    },
  };
}

describe('the leases after a commit', () => {
  test('are asked for once by all who come in one turn', async () => {
    const reader = heldReader();
    const reads = new LeaseReads(reader);
    const answers = Promise.all([
      reads.ofKeyspace(idOf(1)),
      reads.ofKeyspace(idOf(2)),
      reads.ofKeyspace(idOf(1)),
    ]);
    await reader.until(1);
    expect(reader.asked[0]?.ids).toEqual([idOf(1), idOf(2)]);
    reader.asked[0]?.answer(leasesOf(5, [idOf(1), idOf(2)]));
    expect((await answers).map(({ nowMs }) => nowMs)).toEqual([5, 5, 5]);
  });

  test('are never those of a round that began before they were asked for', async () => {
    const reader = heldReader();
    const reads = new LeaseReads(reader);
    const first = reads.ofKeyspace(idOf(1));
    await reader.until(1);
    const second = reads.ofKeyspace(idOf(1));
    reader.asked[0]?.answer(leasesOf(5, [idOf(1)]));
    expect(await first).toMatchObject({ nowMs: 5 });
    await reader.until(2);
    reader.asked[1]?.answer(leasesOf(6, [idOf(1)]));
    expect(await second).toMatchObject({ nowMs: 6 });
  });

  test('that the store does not tell cost precision, not the answer, and the next ones are asked for again', async () => {
    const reader = heldReader();
    const leases = new LeaseReads(reader);
    const ports = { leases, clock: { nowMs: () => 1_000, monotonicMs: () => 0 } } as unknown as UseCasePorts;
    const failed = effectiveByOfKeyspace(ports, idOf(1));
    await reader.until(1);
    reader.asked[0]?.fail();
    expect(await failed).toBe(1_000 + 606_000);
    const told = effectiveByOfKeyspace(ports, idOf(1));
    await reader.until(2);
    reader.asked[1]?.answer(leasesOf(50_000, [idOf(1)]));
    expect(await told).toBe(50_000 + 1_010);
  });

  test('of a keyspace that was lowered hold to the former one for as long as somebody may run on it', async () => {
    const reader = heldReader();
    const ports = { leases: new LeaseReads(reader) } as unknown as UseCasePorts;
    for (const [formerUntilMs, expected] of [
      [90_000, 90_000],
      [50_500, 51_010],
    ] as const) {
      const asked = effectiveByOfKeyspace(ports, idOf(1));
      await reader.until(reader.asked.length + 1);
      const keyspaces = new Map([[idOf(1), { leaseMs: 1000, formerUntilMs }]]);
      reader.asked.at(-1)?.answer({ nowMs: 50_000, keyspaces, workspaces: new Map() });
      expect(await asked).toBe(expected);
    }
  });
});
