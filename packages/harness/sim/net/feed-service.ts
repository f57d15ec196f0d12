import type { LeaseAskBody } from '@keyswarm/contract';
import type { Caller } from '@keyswarm/server/rooms/access/caller';
import type { FeedDoor } from '@keyswarm/server/rooms/http/feed-door';
import { answerLease } from '@keyswarm/server/rooms/http/lease-lane';
import type {
  FeedListener,
  FeedStretch,
  FeedSubscription,
  FeedView,
  Heads,
  RelayedSource,
  RowRange,
  SnapshotSink,
  TablePlace,
} from '@keyswarm/verifier';

/** A snapshot as it comes over a wire: what is to be told to the sink, in order, and where that leads. */
export interface SentSnapshot {
  readonly tell: readonly ((sink: SnapshotSink) => void)[];
  readonly end: Heads & { readonly view?: FeedView; readonly ageMs?: number | undefined };
}

/** The four endpoints of a relay, as a reader at the other end of a wire has them. */
export interface FeedService {
  /** JSON in, JSON out. */
  lease(caller: Caller, body: string): Promise<string>;
  rows(caller: Caller, asked: AskedRows): Promise<FeedStretch | 'gone'>;
  snapshot(caller: Caller): Promise<SentSnapshot>;
  subscribe(caller: Caller, from: TablePlace, listener: FeedListener): Promise<FeedSubscription>;
}

export interface AskedRows {
  readonly epoch: number;
  readonly shard: number;
  readonly range: RowRange;
}

/** What the routes of the product do around its door, without HTTP. */
export function feedServiceOf(door: FeedDoor): FeedService {
  const sourceOf = (caller: Caller): Promise<RelayedSource> => door.sourceFor(caller, undefined);
  return {
    async lease(caller, body) {
      const leave = door.enter('lease', caller.keyId);
      try {
        return await answerLease(door, caller, JSON.parse(body) as LeaseAskBody);
      } finally {
        leave();
      }
    },
    async rows(caller, { epoch, shard, range }) {
      const source = await sourceOf(caller);
      const leave = door.enter('rows', caller.keyId);
      try {
        const stretch = await source.rows(shard, range, never);
        return stretch === 'gone' || stretch.epoch !== epoch ? 'gone' : stretch;
      } finally {
        leave();
      }
    },
    async snapshot(caller) {
      const source = await sourceOf(caller);
      const leave = door.enter('snapshot', caller.keyId);
      const tell: ((sink: SnapshotSink) => void)[] = [];
      try {
        const end = await source.snapshot(
          {
            key: (fact) => tell.push((sink) => sink.key(fact)),
            owner: (fact) => tell.push((sink) => sink.owner(fact)),
            keyspace: (fact) => tell.push((sink) => sink.keyspace(fact)),
            signingKey: (fact) => tell.push((sink) => sink.signingKey(fact)),
            stretch: (stretch) => tell.push((sink) => sink.stretch(stretch)),
          },
          never,
        );
        return { tell, end };
      } finally {
        leave();
      }
    },
    async subscribe(caller, from, listener) {
      return (await sourceOf(caller)).subscribe(from, listener);
    },
  };
}

const never = new AbortController().signal;
