import type { CampaignId, DocumentId, DocumentKind, DocumentRecord } from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { progressIdOf } from '../campaigns/campaign-documents.ts';
import type { DocumentRemoval } from '../storage/removal-port.ts';
import { retentionPageRows, retentionSweptMax } from './limits.ts';

/*
 * What has ended is kept for as long as somebody may want to look at it, and then taken away: requests for approval,
 * campaigns with the journal of each shard, webhooks that were deleted. Their events stay for as long as events do, so
 * that who did what is known without them.
 *
 * What ends is final, so nothing that is swept can come back to life under the sweep; it is taken away only if nobody
 * has changed it since. Several servers may sweep at once. Signing keys are left: there are few, and what was signed by
 * which is worth knowing.
 */

export interface RetentionPorts extends Pick<UseCasePorts, 'reader' | 'storeClock' | 'shards'> {
  readonly removal: DocumentRemoval;
}

const endedStates: Readonly<Partial<Record<DocumentKind, readonly string[]>>> = {
  appr: ['denied', 'withdrawn', 'expired', 'collected'],
  camp: ['finished', 'aborted'],
  wh: ['deleted'],
};

/** Takes away what ended longer ago than `keptMs`, the oldest first, as far as one sweep goes. Says how many documents. */
export async function sweepEnded(
  ports: RetentionPorts,
  keptMs: number,
  signal: AbortSignal,
): Promise<number> {
  const beforeMs = (await ports.storeClock.nowMs()) - keptMs;
  let removed = 0;
  for (const [kind, states] of Object.entries(endedStates)) {
    for (const state of states) {
      const wish = { kind: kind as DocumentKind, state, beforeMs, signal };
      for await (const ended of endedBefore(ports, wish)) {
        const ids = ended.flatMap((document) => withWhatHangsOn(document, ports.shards));
        removed += await ports.removal.remove(ids, beforeMs);
        if (removed >= retentionSweptMax) return removed;
      }
    }
  }
  return removed;
}

async function* endedBefore(
  { reader }: RetentionPorts,
  wish: {
    readonly kind: DocumentKind;
    readonly state: string;
    readonly beforeMs: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<readonly DocumentRecord[]> {
  const { kind, state, beforeMs, signal } = wish;
  let after: DocumentId | undefined;
  while (!signal.aborted) {
    const page = await reader.documents({ kind, state, after, limit: retentionPageRows });
    const ended = page.filter(({ updatedAtMs }) => updatedAtMs < beforeMs);
    if (ended.length > 0) yield ended;
    const last = page.at(-1);
    // Ids are in the order in which they were made: what was made later can't have ended before.
    if (page.length < retentionPageRows || last === undefined || last.createdAtMs >= beforeMs) return;
    after = last.id;
  }
}

function withWhatHangsOn({ id }: DocumentRecord, shards: number): readonly DocumentId[] {
  if (!isCampaign(id)) return [id];
  return [id, ...Array.from({ length: shards }, (_, shard) => progressIdOf(id, shard))];
}

function isCampaign(id: DocumentId): id is CampaignId {
  return id.startsWith('camp_');
}
