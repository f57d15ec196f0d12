import { type DocumentId, encodeSigningKey, withBody } from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { signingKeysListedMax } from '../limits.ts';
import { recordOf } from './change-signing-keys.ts';
import { houseActor } from './rotate-signing-keys.ts';
import { shardOfSigningKeys } from './signing-slot.ts';

/** What a change of the master key has to know of a sealed key; undefined: nothing opens it. */
export type Reseal = (key: {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly sealed: Uint8Array;
}) => Uint8Array | 'current' | undefined;

export interface Resealed {
  readonly resealed: number;
  readonly unreadable: number;
}

/** Seals every private key anew that opens only under the master key of before. May be run by several servers at once. */
export async function resealSigningKeys(
  ports: Pick<UseCasePorts, 'lanes' | 'reader' | 'shards'>,
  reseal: Reseal,
): Promise<Resealed> {
  let resealed = 0;
  let unreadable = 0;
  let after: DocumentId | undefined;
  for (;;) {
    const page = await ports.reader.documents({ kind: 'sk', after, limit: signingKeysListedMax });
    for (const document of page) {
      const key = recordOf(document);
      if (key === undefined || key.sealed.length === 0) continue;
      const sealed = reseal(key);
      if (sealed === undefined) unreadable += 1;
      if (sealed === undefined || sealed === 'current') continue;
      await ports.lanes.submit<null>({
        shard: shardOfSigningKeys(key.workspaceId, ports.shards),
        weight: 1,
        actor: houseActor(key.workspaceId),
        reads: { documents: [key.id] },
        decide(view, nowMs) {
          const stored = view.document(key.id);
          const now = stored && recordOf(stored);
          // Removed meanwhile, or sealed anew by another server: either is as good.
          if (stored === undefined || now === undefined || reseal(now) === 'current')
            return { changes: [], reply: null };
          if (now.sealed.length === 0) return { changes: [], reply: null };
          return {
            changes: [],
            documents: [withBody(stored, encodeSigningKey({ ...now, sealed }), nowMs)],
            reply: null,
          };
        },
      });
      resealed += 1;
    }
    after = page.at(-1)?.id;
    if (page.length < signingKeysListedMax) return { resealed, unreadable };
  }
}
