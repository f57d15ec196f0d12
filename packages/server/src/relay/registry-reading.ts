import { idFromUuidText, type KeyspaceId, parseId, type WorkspaceId } from '@keyswarm/core';
import type { Heads, Reach, RollReport } from '@keyswarm/verifier';
import type { RegistryRow } from '../storage/statements/read-registry.ts';

/** Every relay with its verifiers, as the store has them at one instant. */
export interface RegistryReading {
  /** Unix ms of the store's clock, not before that instant. */
  readonly nowMs: number | undefined;
  /** False where there were more than can be read at once: then nothing follows from one that is not in it. */
  readonly isWhole: boolean;
  readonly relays: readonly RelayReading[];
}

export interface RelayReading {
  readonly id: string;
  readonly name: string;
  readonly region: string | null;
  readonly leaseAgeMs: number | null;
  readonly silentMs: number;
  /** Where the verifier of that process stands; `ended`: it has none any more. */
  readonly own: Heads | undefined | 'ended';
  /** By workspace, the least that its active verifiers stand at; a workspace that is not there has none. */
  readonly least: ReadonlyMap<WorkspaceId, Heads | undefined>;
  readonly verifiers: readonly VerifierReading[];
}

export interface VerifierReading extends RollReport {
  readonly workspaceId: WorkspaceId;
  /** With the workspace, what tells it from every other. */
  readonly credentialId: string;
  readonly isActive: boolean;
  /** Since it was last heard of; for an active one since its relay was. */
  readonly silentMs: number;
  readonly downstream: readonly RollReport[];
}

export function readingOf(rows: readonly RegistryRow[], isWhole: boolean): RegistryReading {
  const relays = new Map<string, RelayReading & { readonly verifiers: VerifierReading[] }>();
  for (const row of rows) {
    const relay = relays.get(row.relay_id) ?? relayOf(row);
    relays.set(row.relay_id, relay);
    if (row.workspace_id !== null) relay.verifiers.push(verifierOf(row, row.workspace_id));
  }
  return { nowMs: rows[0]?.now_ms, isWhole, relays: [...relays.values()] };
}

function relayOf(row: RegistryRow) {
  const heads = recordOf(row.heads);
  const least = Object.entries(recordOf(heads.workspaces)).map(
    ([id, json]) => [id as WorkspaceId, headsOf(json)] as const,
  );
  return {
    id: row.relay_id,
    name: row.relay_name,
    region: row.relay_region,
    leaseAgeMs: row.relay_lease_age_ms,
    silentMs: row.relay_silent_ms,
    own: heads.ownEnded === true ? ('ended' as const) : headsOf(heads.own),
    least: new Map(least),
    verifiers: [],
  };
}

function verifierOf(row: RegistryRow, workspaceId: string): VerifierReading {
  const downstream: readonly unknown[] = Array.isArray(row.downstream) ? row.downstream : [];
  return {
    workspaceId: idFromUuidText('ws', workspaceId),
    credentialId: idFromUuidText('key', row.credential_id),
    id: row.verifier_id,
    name: row.name,
    ...(row.region === null ? {} : { region: row.region }),
    kind: row.kind,
    applied: headsOf(row.applied),
    leaseAgeMs: row.lease_age_ms ?? undefined,
    reach: reachIn(row.reach),
    isActive: row.active,
    silentMs: row.active ? Math.min(row.silent_ms, row.relay_silent_ms) : row.silent_ms,
    downstream: downstream.map(reportOf),
  };
}

function reportOf(json: unknown): RollReport {
  const { id, name, region, kind, applied, leaseAgeMs, count, reach } = recordOf(json);
  return {
    id: String(id),
    name: String(name),
    ...(typeof region === 'string' ? { region } : {}),
    kind: kind === 'relay' || kind === 'node' ? kind : 'library',
    applied: headsOf(applied),
    leaseAgeMs: typeof leaseAgeMs === 'number' ? leaseAgeMs : undefined,
    ...(typeof count === 'number' ? { count } : {}),
    reach: reachIn(reach),
  };
}

/** Absent in a row of a server that knew of no reach: everything. */
function reachIn(json: unknown): Reach {
  const { keyspaces, without } = recordOf(json);
  return {
    ...(Array.isArray(keyspaces) ? { keyspaces: keyspaces.flatMap(keyspaceIn) } : {}),
    ...(Array.isArray(without) ? { without: without.flatMap(keyspaceIn) } : {}),
  };
}

function keyspaceIn(json: unknown): readonly KeyspaceId[] {
  const id = typeof json === 'string' ? parseId('ks', json) : undefined;
  return id === undefined ? [] : [id];
}

function headsOf(json: unknown): Heads | undefined {
  const { epoch, seqs } = recordOf(json);
  return typeof epoch === 'number' && Array.isArray(seqs) ? { epoch, seqs } : undefined;
}

function recordOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
}
