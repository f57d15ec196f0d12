import { builtinKeyspaceName, Fault, type KeyId, type Secret } from '@keyswarm/core';
import {
  type DownstreamVerifier,
  type FeedFilter,
  FeedRelay,
  feedView,
  type KeyUse,
  LeaseRoll,
  letsKeyspace,
  type RollOwner,
  type RollReport,
  type Verifier,
} from '@keyswarm/verifier';
import type { KeyspaceFinder } from '../access/feed-scope.ts';
import { FeedDoor } from '../http/feed-door.ts';
import { staleRetryAfterMs } from '../limits.ts';
import { systemClock } from '../runtime/clock.ts';
import { hostName } from '../runtime/host-name.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';

/*
 * The relay of a region: a node that passes on what it follows. It has no registry to write to, and whoever it answers
 * need not be in one before (SPEC.md, rule 11). It is on the node's roll before the node reads what it answers with, and
 * each ask of the node's takes its position first and its roll after that. So an ask that says that the node has a change
 * names everyone who was answered without it; and until the node says so, the node itself is waited for. Should it fall
 * silent, the authority counts the node's lease, and no lease that rests on it lives longer. This is why a node draws a
 * new id whenever it starts: the row of the one before it stands for those on the roll that was lost.
 *
 * What it tells of them is bounded, and so is what one credential may take of its roll: an ask that were refused for
 * its length would end the lease of the whole region.
 *
 * It serves everything or nothing. A relay that held only some keyspaces would have a verifier behind it, which may
 * read more, take every key of the others for unknown.
 */

/** Those behind this node: told upstream, and forgotten when their leases can't live any more. */
export class NodeRoll {
  readonly roll: LeaseRoll;

  /** `leaseMsMax`: the longest lease in the node's own table. */
  constructor(leaseMsMax: () => number) {
    this.roll = new LeaseRoll({ clock: systemClock, leaseMsMax });
  }

  async admit(owner: RollOwner, report: RollReport, downstream: readonly RollReport[]) {
    return this.roll.asked(owner, report, downstream);
  }

  /** Only an authority lists verifiers. */
  read(): Promise<never> {
    return Promise.reject(new Error('a node has no registry'));
  }

  downstream(): readonly DownstreamVerifier[] {
    this.roll.forget();
    return this.roll
      .downstream()
      .flatMap((report) => (report.kind === 'server' ? [] : [{ ...report, kind: report.kind }]));
  }
}

export interface NodeRelayGround {
  readonly verifier: Verifier;
  readonly roll: NodeRoll;
  readonly keyspaces: KeyspaceFinder;
  readonly keyspacesSeen: KeyspaceFinder;
  /** The node's own key: it says whose workspace this is. */
  readonly credential: Secret;
  readonly name: string | null;
  readonly region: string | null;
}

export function openNodeRelay(ground: NodeRelayGround): {
  readonly relay: FeedRelay;
  readonly feed: WholeFeedDoor;
} {
  const { verifier, roll, keyspaces, keyspacesSeen, name, region } = ground;
  const { resident } = verifier;
  const relay = new FeedRelay({
    verifier: resident,
    clock: verifier.clock,
    timers: systemTimers,
    random: systemRandom,
    origin: { kind: 'relay', follower: verifier.follower },
  });
  const options = {
    relay,
    registry: roll,
    relayIdentity: { id: 'node', name: name ?? hostName(), region },
    takeUses: (filter: FeedFilter, uses: readonly KeyUse[]) =>
      verifier.uses.passOn(uses.filter(({ keyspaceId }) => letsKeyspace(filter, keyspaceId))),
    keyspaces,
    keyspacesSeen,
    random: systemRandom,
    get shards() {
      return resident.applied().seqs.length;
    },
    standing: () => {
      const { leaseAgeMs } = resident.stats();
      return { heads: resident.applied(), ageMs: Number.isFinite(leaseAgeMs) ? leaseAgeMs : undefined };
    },
  };
  return { relay, feed: new WholeFeedDoor(options, () => holdsAll(ground)) };
}

/** Shut while the node holds only a part. */
export class WholeFeedDoor extends FeedDoor {
  readonly #holdsAll: () => boolean;

  constructor(options: FeedDoor['options'], holdsAllNow: () => boolean) {
    super(options);
    this.#holdsAll = holdsAllNow;
  }

  /** What to tell whoever runs the node; undefined when all is well. */
  get warning(): string | undefined {
    return this.#holdsAll()
      ? undefined
      : 'the feed is not served: the credential may read only a part of it, and a relay needs feed:read and feed:read:keyswarm';
  }

  override enter(kind: Parameters<FeedDoor['enter']>[0], callerId: KeyId): () => void {
    if (!this.#holdsAll()) {
      throw new Fault('stale', {
        detail:
          'This relay holds no more than a part: its credential needs feed:read and feed:read:keyswarm.',
        retryAfterMs: staleRetryAfterMs,
      });
    }
    return super.enter(kind, callerId);
  }
}

/**
 * Its table is of the view of a whole workspace, which is that of the key that it was loaded with. (What that key may
 * read by now is another question: when it changes, so does the table.)
 */
function holdsAll({ verifier, credential }: Pick<NodeRelayGround, 'verifier' | 'credential'>): boolean {
  const { resident } = verifier;
  const own = resident.verify(credential.reveal(), { keyspace: builtinKeyspaceName });
  // Without a lease nothing is passed on anyway.
  if (own.valid !== true) return false;
  return resident.view === feedView({ workspaceId: own.workspaceId });
}
