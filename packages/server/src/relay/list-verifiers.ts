import {
  type VerifierEntry,
  type VerifierList,
  type VerifierState,
  verifiersListedMax,
} from '@keyswarm/contract';
import { leaseDriftRatio, leaseSecondsMax, type WorkspaceId } from '@keyswarm/core';
import type { Heads, RollReport } from '@keyswarm/verifier';
import type { LeaseNow } from '../access/lease-reads.ts';
import { registrationMsMax, relayAliveMs } from '../limits.ts';
import type { RegistryReading, RelayReading } from './registry-reading.ts';
import type { RelayIdentity, VerifierRegistry } from './verifier-registry.ts';

export interface VerifiersFrom {
  readonly registry: Pick<VerifierRegistry, 'roll' | 'read'>;
  readonly relayIdentity: RelayIdentity;
  /** Where the verifier of this process stands: what the others are compared with. */
  readonly standing: () => { readonly heads: Heads; readonly ageMs: number | undefined };
  readonly leases: { ofWorkspace(id: WorkspaceId): Promise<LeaseNow> };
  readonly clock: { nowMs(): number; monotonicMs(): number };
}

interface Seen {
  readonly report: Omit<RollReport, 'kind'> & { readonly kind: VerifierEntry['kind'] };
  readonly relay: Pick<RelayReading, 'id' | 'name' | 'region'>;
  readonly silentMs: number;
}

/** Every verifier of the workspace, and those of the servers, which serve every workspace. By name. */
export async function listVerifiers(from: VerifiersFrom, workspaceId: WorkspaceId): Promise<VerifierList> {
  const [reading, leases] = await Promise.all([
    from.registry.read([workspaceId]),
    from.leases.ofWorkspace(workspaceId),
  ]);
  const nowMs = reading.nowMs ?? leases.nowMs;
  const leaseMs = leases.lease?.leaseMs ?? leaseSecondsMax * 1000;
  const fencedMs = leaseMs * (1 + leaseDriftRatio) + registrationMsMax;
  const seen = [...seenHere(from, workspaceId), ...seenElsewhere(reading, from.relayIdentity.id)].sort(
    byName,
  );
  return {
    as_of: new Date(nowMs).toISOString(),
    total: seen.length,
    items: seen.slice(0, verifiersListedMax).map((one) => ({
      id: one.report.id,
      name: one.report.name,
      kind: one.report.kind,
      region: one.report.region ?? null,
      relay: { id: one.relay.id, name: one.relay.name, region: one.relay.region },
      state: stateOf(one, fencedMs),
      rows_behind: rowsBehind(one.report.applied, from.standing().heads),
      lease_age_ms:
        one.report.leaseAgeMs === undefined ? null : Math.round(one.report.leaseAgeMs + one.silentMs),
      seen_at: new Date(nowMs - one.silentMs).toISOString(),
    })),
  };
}

function* seenHere(
  { registry, relayIdentity, standing, clock }: VerifiersFrom,
  workspaceId: WorkspaceId,
): Generator<Seen> {
  const { heads, ageMs } = standing();
  const { id, name, region } = relayIdentity;
  const own = { id, name, ...(region === null ? {} : { region }), kind: 'server' as const };
  yield { report: { ...own, applied: heads, leaseAgeMs: ageMs }, relay: relayIdentity, silentMs: 0 };
  for (const { owner, report, downstream, seenAtMs } of registry.roll.entries()) {
    if (owner.workspaceId !== workspaceId) continue;
    const silentMs = Math.max(0, clock.monotonicMs() - seenAtMs);
    yield { report, relay: relayIdentity, silentMs };
    const relay = { id: report.id, name: report.name, region: report.region ?? null };
    for (const behind of downstream) yield { report: behind, relay, silentMs };
  }
}

function* seenElsewhere({ relays }: RegistryReading, hereId: string): Generator<Seen> {
  for (const relay of relays) {
    if (relay.id === hereId) continue;
    const { id, name, region, own, leaseAgeMs, silentMs } = relay;
    if (own !== 'ended') {
      const report = { id, name, ...(region === null ? {} : { region }), kind: 'server' as const };
      yield { report: { ...report, applied: own, leaseAgeMs: leaseAgeMs ?? undefined }, relay, silentMs };
    }
    for (const one of relay.verifiers) {
      yield { report: one, relay, silentMs: one.silentMs };
      const via = { id: one.id, name: one.name, region: one.region ?? null };
      for (const behind of one.downstream) yield { report: behind, relay: via, silentMs: one.silentMs };
    }
  }
}

function stateOf({ report, silentMs }: Seen, fencedMs: number): VerifierState {
  if (silentMs > fencedMs) return 'fenced';
  if (silentMs > relayAliveMs) return 'silent';
  return report.leaseAgeMs === undefined ? 'starting' : 'leased';
}

function rowsBehind(applied: Heads | undefined, heads: Heads): number | null {
  if (applied === undefined || applied.epoch !== heads.epoch) return null;
  return heads.seqs.reduce((sum, head, shard) => sum + Math.max(0, head - (applied.seqs[shard] ?? 0)), 0);
}

function byName(a: Seen, b: Seen): number {
  if (a.report.name !== b.report.name) return a.report.name < b.report.name ? -1 : 1;
  return a.report.id < b.report.id ? -1 : 1;
}
