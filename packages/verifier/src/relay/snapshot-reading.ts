import type {
  KeyFact,
  KeyspaceFact,
  KeyspaceId,
  OwnerFact,
  OwnerId,
  SigningKeyFact,
  WorkspaceId,
} from '@keyswarm/core';
import type { FeedListener, FeedStretch, FeedSubscription, FeedView, Heads } from '../feed/feed-source.ts';
import { snapshotTailRowsMax } from '../limits.ts';
import { type FeedFilter, feedView, letsKeyspace } from './feed-filter.ts';

export type RelayFact =
  | { readonly kind: 'keyspace'; readonly fact: KeyspaceFact }
  | { readonly kind: 'owner'; readonly fact: OwnerFact }
  | { readonly kind: 'key'; readonly fact: KeyFact }
  | { readonly kind: 'signingKey'; readonly fact: SigningKeyFact };

/** What a relay reads a snapshot from: the facts of the verifier beside it, as they come. */
export interface FactsReader {
  facts(filter: {
    readonly workspaceId?: WorkspaceId;
    readonly keyspaces?: ReadonlySet<KeyspaceId>;
  }): Iterable<RelayFact>;
}

export interface TailedReading {
  /** Where the verifier stood when the reading began. */
  readonly heads: Heads;
  /** Of the reader that it is for. */
  readonly view: FeedView;
  readonly ageMs: number | undefined;
  readonly facts: Iterable<RelayFact>;
  /** What was applied since, and where that leads. Throws when it was more than could be kept. */
  tail(): { readonly stretches: readonly FeedStretch[]; readonly heads: Heads };
  close(): void;
}

/** The tail of a reading was too long, or another table took over. Whoever asked asks again. */
export class SnapshotOverrun extends Error {
  override readonly name = 'SnapshotOverrun';
}

export interface ReadingFrom {
  readonly verifier: FactsReader;
  readonly filter: FeedFilter;
  readonly heads: Heads;
  /** Tells of everything that is applied from now on. */
  readonly subscribe: (listener: FeedListener) => FeedSubscription;
  readonly headsNow: () => Heads;
}

/**
 * A snapshot out of memory while it goes on changing. What changes meanwhile may or may not be in the facts; the
 * tail has it in any case, and facts carry revisions, so that the two together are what stood at the tail's end.
 *
 * It says nothing of its age: a lease is something that a verifier asks for by its name (see `lease-roll.ts`).
 */
export function readSnapshotOf({ verifier, filter, heads, subscribe, headsNow }: ReadingFrom): TailedReading {
  const stretches: FeedStretch[] = [];
  let rows = 0;
  let failed: unknown;
  const subscription = subscribe({
    stretch(stretch) {
      rows += Math.max(1, stretch.rows.length);
      if (rows > snapshotTailRowsMax) this.ended(new SnapshotOverrun('too much changed meanwhile'));
      else stretches.push(stretch);
    },
    wanted() {},
    ended(error) {
      failed = new SnapshotOverrun('the snapshot was overtaken', { cause: error });
      stretches.length = 0;
      subscription.close();
    },
  });
  return {
    heads,
    view: feedView(filter),
    ageMs: undefined,
    facts: factsFor(verifier, filter),
    tail() {
      if (failed !== undefined) throw failed;
      const now = headsNow();
      subscription.close();
      return { stretches: stretches.splice(0), heads: now };
    },
    close: () => subscription.close(),
  };
}

/** An owner is held back until the first key that names it is one that this reader may see. */
function* factsFor(verifier: FactsReader, filter: FeedFilter): Generator<RelayFact> {
  const { workspaceId, keyspaces } = filter;
  const held = new Map<OwnerId, RelayFact>();
  const asked = {
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(keyspaces === undefined ? {} : { keyspaces }),
  };
  for (const item of verifier.facts(asked)) {
    if (item.kind === 'owner') {
      held.set(item.fact.id, item);
    } else if (item.kind === 'keyspace') {
      if (letsKeyspace(filter, item.fact.id)) yield item;
    } else if (item.kind === 'signingKey') {
      // Of the whole workspace, whatever keyspaces are read of it: tokens of each are signed with them.
      yield item;
    } else if (letsKeyspace(filter, item.fact.keyspaceId)) {
      const owner = held.get(item.fact.ownerId);
      if (owner !== undefined) {
        held.delete(item.fact.ownerId);
        yield owner;
      }
      yield item;
    }
  }
}
