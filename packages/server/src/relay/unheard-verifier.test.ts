import type { KeyId, KeyspaceId, WorkspaceId } from '@keyswarm/core';
import { idFromUuidBytes } from '@keyswarm/core';
import { type Reach, type RollEntry, wholeReach } from '@keyswarm/verifier';
import { describe, expect, it } from 'vitest';
import { registrationMsMax, useHeardMs, verifierActiveMs } from '../limits.ts';
import type { RelayReading, VerifierReading } from './registry-reading.ts';
import { unheardVerifier } from './unheard-verifier.ts';

const workspaceId = idFromUuidBytes('ws', new Uint8Array(16).fill(1)) as WorkspaceId;
const stranger = idFromUuidBytes('ws', new Uint8Array(16).fill(2)) as WorkspaceId;
const credentialId = idFromUuidBytes('key', new Uint8Array(16).fill(3)) as KeyId;
const keyspaceId = idFromUuidBytes('ks', new Uint8Array(16).fill(4)) as KeyspaceId;
const other = idFromUuidBytes('ks', new Uint8Array(16).fill(5)) as KeyspaceId;
const nowMs = 1_800_000_000_000;
/** A lease of 30 s with its ρ, the second of a registration, and how old an active verifier's ask may be. */
const mayLiveMs = 30_300 + registrationMsMax + verifierActiveMs;

const verifier = (id: string, silentMs: number, more: Partial<VerifierReading> = {}): VerifierReading => ({
  workspaceId,
  credentialId,
  id,
  name: id,
  kind: 'node',
  applied: undefined,
  leaseAgeMs: 100,
  isActive: true,
  silentMs,
  downstream: [],
  ...more,
});

const relay = (id: string, silentMs: number, more: Partial<RelayReading> = {}): RelayReading => ({
  id,
  name: id,
  region: null,
  leaseAgeMs: 100,
  silentMs,
  own: { epoch: 1, seqs: [1] },
  least: new Map(),
  verifiers: [],
  ...more,
});

const entry = (id: string, seenAtMs: number): RollEntry => ({
  key: id,
  owner: { workspaceId, credential: credentialId },
  report: { id, name: id, kind: 'node', applied: undefined, leaseAgeMs: 100 },
  downstream: [],
  stands: undefined,
  reach: wholeReach,
  seenAtMs,
  keptUntilMs: 0,
  isNew: false,
});

const unheard = (
  relays: readonly RelayReading[],
  more: { entries?: readonly RollEntry[]; isWhole?: boolean; formerUntilMs?: number } = {},
) =>
  unheardVerifier(
    {
      reading: { nowMs, isWhole: more.isWhole ?? true, relays },
      here: { relayId: 'here', entries: more.entries ?? [], monotonicMs: 1_000_000 },
    },
    { workspaceId, keyspaceId, lease: { leaseMs: 30_000, formerUntilMs: more.formerUntilMs ?? null }, nowMs },
  );

describe('who may have accepted keys without having told', () => {
  it('is nobody while all are heard of', () => {
    expect(unheard([])).toBeNull();
    const relays = [relay('other', useHeardMs, { verifiers: [verifier('a', useHeardMs)] })];
    expect(unheard(relays, { entries: [entry('b', 1_000_000 - useHeardMs)] })).toBeNull();
  });

  it('is one that is silent, until the end of the longest lease that it can have', () => {
    const relays = [relay('other', 100, { verifiers: [verifier('a', 20_000), verifier('b', 8_000)] })];
    expect(unheard(relays)).toEqual({ name: 'b', mayHaveAcceptedUntilMs: nowMs - 8_000 + mayLiveMs });
    expect(unheard([], { entries: [entry('c', 990_000)] })).toEqual({
      name: 'c',
      mayHaveAcceptedUntilMs: nowMs - 10_000 + mayLiveMs,
    });
  });

  it('is a server that died, and not one that ended', () => {
    expect(unheard([relay('other', 10_000)])).toMatchObject({ name: 'other' });
    expect(unheard([relay('other', 10_000, { own: 'ended' })])).toBeNull();
    expect(unheard([relay('here', 10_000)]), 'this one knows its own').toBeNull();
  });

  it('is not one whose last word was that it has no lease, because it was shut down or has not begun', () => {
    const left = verifier('a', 60_000, { leaseAgeMs: undefined, isActive: false });
    expect(unheard([relay('other', 100, { verifiers: [left] })])).toBeNull();
    const here = entry('b', 940_000);
    expect(
      unheard([], { entries: [{ ...here, report: { ...here.report, leaseAgeMs: undefined } }] }),
    ).toBeNull();
  });

  it('is one that has a lease by the last that was heard of it, whatever it said elsewhere before', () => {
    const began = verifier('a', 60_000, { leaseAgeMs: undefined });
    const moved = verifier('a', 20_000);
    const relays = [relay('one', 100, { verifiers: [began] }), relay('two', 100, { verifiers: [moved] })];
    expect(unheard(relays)).toMatchObject({ name: 'a' });
    expect(unheard(relays.toReversed())).toMatchObject({ name: 'a' });
  });

  it('is not one that has moved, as long as it is heard of anywhere', () => {
    const gone = relay('gone', 60_000, { own: 'ended', verifiers: [verifier('a', 60_000)] });
    expect(unheard([gone])).toMatchObject({ name: 'a' });
    expect(unheard([gone, relay('other', 100, { verifiers: [verifier('a', 100)] })])).toBeNull();
    expect(unheard([gone], { entries: [entry('a', 1_000_000)] })).toBeNull();
  });

  it('is one behind a relay that the relay has not heard of, and not one of another workspace', () => {
    const behind = {
      id: 'leaf',
      name: 'leaf',
      kind: 'library',
      applied: undefined,
      leaseAgeMs: 9_000,
    } as const;
    const chained = verifier('region', 500, { kind: 'relay', downstream: [behind] });
    expect(unheard([relay('other', 100, { verifiers: [chained] })])).toEqual({
      name: 'leaf',
      mayHaveAcceptedUntilMs: nowMs - 9_500 + mayLiveMs,
    });
    const foreign = verifier('a', 60_000, { workspaceId: stranger });
    expect(unheard([relay('other', 100, { verifiers: [foreign] })])).toBeNull();
  });

  it('is one that asked here and has left the roll since, its lease being over, as long as its row is kept', () => {
    const left = verifier('a', 900_000, { isActive: false });
    const stale = verifier('b', 20_000);
    expect(unheard([relay('here', 100, { verifiers: [left, stale] })])).toEqual({
      name: 'a',
      mayHaveAcceptedUntilMs: nowMs - 900_000 + mayLiveMs,
    });
  });

  it('may run on a longer lease from before, and is anybody where not all can be read', () => {
    const relays = [relay('other', 100, { verifiers: [verifier('a', 3_600_000)] })];
    expect(unheard(relays, { formerUntilMs: nowMs + 5 })).toMatchObject({
      mayHaveAcceptedUntilMs: nowMs + 5,
    });
    expect(unheard([], { isWhole: false })).toMatchObject({ mayHaveAcceptedUntilMs: nowMs });
  });

  const elsewhere: readonly Reach[] = [{ keyspaces: [other] }, { without: [keyspaceId] }, { keyspaces: [] }];
  it.each(elsewhere)('is not one that may read nothing of the keyspace, wherever it asked: %j', (reach) => {
    const foreign = verifier('a', 20_000, { reach });
    expect(unheard([relay('other', 100, { verifiers: [foreign] })])).toBeNull();
    expect(unheard([], { entries: [{ ...entry('b', 980_000), reach }] })).toBeNull();
    const behind = {
      id: 'leaf',
      name: 'leaf',
      kind: 'library',
      applied: undefined,
      leaseAgeMs: 9_000,
      reach,
    } as const;
    const chained = verifier('region', 500, { kind: 'relay', downstream: [behind] });
    expect(unheard([relay('other', 100, { verifiers: [chained] })])).toBeNull();
  });

  it('is one that may read it among others, and one that might at the relay where it was before', () => {
    const reach: Reach = { keyspaces: [other, keyspaceId] };
    const wide = relay('one', 100, { verifiers: [verifier('a', 20_000, { reach })] });
    expect(unheard([wide])).toMatchObject({ name: 'a' });
    const narrow = verifier('a', 100, { reach: { keyspaces: [other] } });
    expect(unheard([wide, relay('two', 100, { verifiers: [narrow] })])).toMatchObject({ name: 'a' });
  });
});
