import type { Fact, FeedView, Heads, ResidentVerifier } from '@keyswarm/verifier';

/** What a machine keeps on its disk over restarts: a snapshot, as old as it may be. */
export interface SimDisk {
  snapshot: { readonly heads: Heads; readonly view: FeedView; readonly facts: readonly Fact[] } | undefined;
}

/** As `SnapshotKeeper` does now and then; how the file is coded has tests of its own. */
export function saveTo(disk: SimDisk, resident: ResidentVerifier): void {
  if (!resident.ready || resident.quarantined.length > 0) return;
  disk.snapshot = { heads: resident.applied(), view: resident.view, facts: [...resident.facts()] };
}

/** Loads what is there; it has no lease until the feed has been followed. */
export function loadFrom(disk: SimDisk, resident: ResidentVerifier): void {
  if (disk.snapshot === undefined) return;
  const { heads, view, facts } = disk.snapshot;
  const load = resident.startSnapshot();
  for (const item of facts) {
    if (item.kind === 'key') load.applyKey(item.fact);
    else if (item.kind === 'owner') load.applyOwner(item.fact);
    else if (item.kind === 'keyspace') load.applyKeyspace(item.fact);
    else load.applySigningKey(item.fact);
  }
  load.finish({ ...heads, view });
}
