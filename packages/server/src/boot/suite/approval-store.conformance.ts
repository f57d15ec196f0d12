import {
  type ApprovalId,
  createKeyspace,
  Fault,
  idFromUuidBytes,
  openApprovalsPerKeyspaceMax,
  shardOfId,
  uuidV7,
} from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../access/caller.ts';
import type { UseCasePorts } from '../../access/use-case-ports.ts';
import { openCountIdOf } from '../../approvals/approval-place.ts';
import { decideManyApprovals } from '../../approvals/decide-approvals.ts';
import { expireApprovals } from '../../approvals/expire-approvals.ts';
import { requestOneApproval } from '../../approvals/request-approval.ts';
import { withdrawOneApproval } from '../../approvals/withdraw-approval.ts';
import { KeyspaceDirectory } from '../../keyspaces/keyspace-directory.ts';
import { createLanes, type RunningLanes } from '../../lanes/lanes.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import { systemTimers } from '../../runtime/timers.ts';
import { createReader } from '../../storage/reader.ts';
import { createStoreClock } from '../../storage/store-clock.ts';
import type { TestServer } from './test-server.ts';

/** What the room of approvals promises of the store, asked of its use-cases: two processes, their lanes and one store. */
export function describeApprovalStore(serverOf: () => TestServer): void {
  const newId = () => uuidV7(systemClock.nowMs(), systemRandom.bytes(10));
  const workspaceId = idFromUuidBytes('ws', newId());
  const asker = callerWith(['keys:issue']);
  const decider = callerWith(['approvals:decide']);
  const processes: { readonly ports: UseCasePorts; readonly lanes: RunningLanes }[] = [];

  function callerWith(scopes: readonly string[]): Caller {
    return {
      keyId: idFromUuidBytes('key', newId()),
      workspaceId,
      scopes,
      expiresAtMs: null,
      isDerived: false,
      requestId: 'req-1',
    };
  }

  beforeAll(async () => {
    const { store } = serverOf();
    const [row] = await store.query<{ shards: number }>({
      name: '',
      text: 'select count(*)::integer as shards from feed_heads',
    });
    const shards = row?.shards ?? 0;
    for (let at = 0; at < 2; at += 1) {
      const reader = createReader(store, { shards });
      const lanes = createLanes({
        store,
        shards,
        clock: systemClock,
        timers: systemTimers,
        onCommitted: () => {},
      });
      const storeClock = createStoreClock(store);
      const parts = { lanes, reader, shards, clock: systemClock, storeClock, random: systemRandom };
      // What approvals reach of a server: no verifier, no feed, no wire.
      const ports = { ...parts, keyspaces: new KeyspaceDirectory(reader) } as unknown as UseCasePorts;
      processes.push({ ports, lanes });
    }
  });
  afterAll(() => Promise.all(processes.map(({ lanes }) => lanes.drain())));
  const processAt = (at: number) => {
    const one = processes[at];
    if (one === undefined) throw new Error('it was started');
    return one;
  };

  let keyspaces = 0;
  async function ruled(): Promise<string> {
    keyspaces += 1;
    const name = `ruled-${keyspaces}`;
    const id = idFromUuidBytes('ks', newId());
    const wish = { id, workspaceId, name, prefix: 'ruled', allowedScopes: ['orders:*'] };
    const after = createKeyspace({ ...wish, approval: { scopes: ['*'] } }, systemClock.nowMs());
    const { ports, lanes } = processAt(0);
    await lanes.submit({
      shard: shardOfId(id, ports.shards),
      weight: 1,
      actor: { workspaceId, keyId: null, requestId: 'req-1' },
      reads: { keyspaces: [id] },
      decide: () => ({
        changes: [{ kind: 'keyspace', event: 'keyspace.created', after, data: {} }],
        reply: null,
      }),
    });
    return name;
  }

  async function request(keyspace: string, at = 0): Promise<ApprovalId> {
    const owner = { kind: 'service' as const, externalId: 'billing' };
    const terms = { keyspace, owner, name: '', scopes: ['orders:write'], metadata: {} };
    return (await requestOneApproval(processAt(at).ports, asker, { terms }, undefined)).approval.id;
  }
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'done',
      (error: unknown) => (error instanceof Fault ? error.code : String(error)),
    );
  const openIn = async (keyspace: string): Promise<unknown> => {
    const { ports } = processAt(0);
    const found = await ports.keyspaces.find(workspaceId, keyspace);
    if (found === undefined) throw new Error('it was made');
    return (await ports.reader.document(openCountIdOf(found.id)))?.body.open ?? 0;
  };
  const setOpen = async (keyspace: string, open: number): Promise<void> => {
    const found = await processAt(0).ports.keyspaces.find(workspaceId, keyspace);
    if (found === undefined) throw new Error('it was made');
    await serverOf().setBody(openCountIdOf(found.id), { open });
  };
  const approve = async (ids: readonly ApprovalId[], at = 0) =>
    (
      await decideManyApprovals(
        processAt(at).ports,
        decider,
        { decision: 'approve', which: { ids } },
        undefined,
      )
    ).results;

  describe('approvals in the store', () => {
    test('a burst of 2,000 waits there and nowhere else, and is decided by a rule in two calls', async () => {
      const keyspace = await ruled();
      // The first ones: from then on each process knows the keyspace by its name.
      const ids = [await request(keyspace, 0), await request(keyspace, 1)];
      ids.push(...(await Promise.all(Array.from({ length: 1998 }, (_, at) => request(keyspace, at % 2)))));
      expect(new Set(ids).size).toBe(2000);
      for (const { lanes } of processes) expect(lanes.depths().every((depth) => depth === 0)).toBe(true);
      expect(await openIn(keyspace)).toBe(2000);
      const wish = { decision: 'approve' as const, which: { filter: { keyspace } } };
      const first = await decideManyApprovals(processAt(0).ports, decider, wish, undefined);
      const second = await decideManyApprovals(processAt(1).ports, decider, wish, undefined);
      expect([first.more, second.more]).toEqual([true, false]);
      const decided = [...first.results, ...second.results];
      expect(new Set(decided.map(({ id }) => id))).toEqual(new Set(ids));
      expect(decided.every((result) => 'state' in result && result.state === 'approved')).toBe(true);
    }, 60_000);

    test('are refused past the bound of their keyspace, exactly, by two processes at once', async () => {
      const [keyspace, other] = [await ruled(), await ruled()];
      await request(keyspace);
      await setOpen(keyspace, openApprovalsPerKeyspaceMax - 5);
      const codes = await Promise.all(
        Array.from({ length: 40 }, (_, at) => codeOf(request(keyspace, at % 2))),
      );
      expect(codes.filter((code) => code === 'done')).toHaveLength(5);
      expect(codes.filter((code) => code === 'approvals_full')).toHaveLength(35);
      expect(await codeOf(request(other))).toBe('done');
    });

    test('count as open until they end, whichever way, and never twice', async () => {
      const keyspace = await ruled();
      const ids = await Promise.all(Array.from({ length: 4 }, () => request(keyspace)));
      const [one, two, three] = ids;
      if (one === undefined || two === undefined || three === undefined) throw new Error('four were made');
      await approve([one, two]);
      expect(await openIn(keyspace)).toBe(4);
      const { ports } = processAt(0);
      await decideManyApprovals(
        ports,
        decider,
        { decision: 'deny', which: { ids: [one, three] } },
        undefined,
      );
      expect(await openIn(keyspace)).toBe(2);
      await withdrawOneApproval(ports, asker, two, undefined);
      expect(await codeOf(withdrawOneApproval(ports, asker, two, undefined))).toBe('approval_closed');
      expect(await openIn(keyspace)).toBe(1);
    });

    test('decided by two processes at the same moment, are decided once', async () => {
      const keyspace = await ruled();
      const id = await request(keyspace);
      const results = (await Promise.all([approve([id], 0), approve([id], 1)])).flat();
      const codes = results.map((result) => ('state' in result ? result.state : result.refused.code)).sort();
      expect(codes).toEqual(['approval_decided', 'approved']);
    });

    test('that are over are written down by a sweep, each once by two sweeps, at most so many at a time', async () => {
      const keyspace = await ruled();
      const ids = await Promise.all(Array.from({ length: 7 }, () => request(keyspace)));
      const [first, ...rest] = ids;
      if (first === undefined) throw new Error('seven were made');
      await approve(rest.slice(0, 2));
      await expireApprovals(processAt(0).ports, 1000);
      for (const id of rest) await serverOf().endWait(id);
      const before = await serverOf().changes();
      // The server's own sweep may come by at any moment, and take some of them: all that is counted is who wrote what.
      expect(await expireApprovals(processAt(0).ports, 2)).toBeLessThanOrEqual(2);
      const counts = await Promise.all(processes.map(({ ports }) => expireApprovals(ports, 100)));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(6);
      expect(await expireApprovals(processAt(1).ports, 100)).toBe(0);
      expect(await serverOf().changes()).toBe(before + 6);
      const states = await Promise.all(
        ids.map(async (id) => (await processAt(0).ports.reader.document(id))?.body.state),
      );
      expect(states).toEqual(['pending', ...Array(6).fill('expired')]);
      expect(await openIn(keyspace)).toBe(1);
    });
  });
}
