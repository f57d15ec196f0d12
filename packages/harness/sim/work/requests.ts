import type { FeedPosition, KeyId, KeyRecord, OwnerId, Secret } from '@keyswarm/core';
import type { Caller } from '@keyswarm/server/rooms/access/caller';
import { ownerIdOf } from '@keyswarm/server/rooms/access/named-ids';
import type { UseCasePorts } from '@keyswarm/server/rooms/access/use-case-ports';
import { startCampaign } from '@keyswarm/server/rooms/campaigns/start-campaign';
import { resumeOneKey, revokeOneKey, suspendOneKey } from '@keyswarm/server/rooms/keys/end-key';
import { issueManyKeys, issueOneKey } from '@keyswarm/server/rooms/keys/issue-keys';
import type { KeyTerms } from '@keyswarm/server/rooms/keys/key-terms';
import { finishKeyRotation, rotateOneKey } from '@keyswarm/server/rooms/keys/rotate-key';
import { updateOneKeyspace } from '@keyswarm/server/rooms/keyspaces/change-keyspace';
import { revokeKeysOfKeyspace } from '@keyswarm/server/rooms/keyspaces/revoke-keyspace-keys';
import {
  resumeOneOwner,
  revokeKeysOfOwner,
  suspendOneOwner,
} from '@keyswarm/server/rooms/owners/change-owner';
import type { IdempotencyScope } from '@keyswarm/server/rooms/signing/idempotency';
import type { SeededRandom } from '../kernel/seeded-random.ts';
import type { KeyBook, KnownKey } from './key-book.ts';

/** What a reply says, as far as somebody goes by it. */
export interface Outcome {
  /** Keys with secrets that were handed out, and where each stands in the feed. */
  readonly handedOut: readonly {
    readonly key: KeyRecord;
    readonly secret: Secret | undefined;
    readonly keyspace: string;
  }[];
  /** From when on nobody goes by what was before, by the store's clock. */
  readonly effectiveByMs?: number;
  readonly at?: FeedPosition;
  /** The key that was ended. */
  readonly endedId?: KeyId;
}

/** One request of the management API: served by the product's use-case. */
export interface SimRequest {
  readonly name: string;
  /** What it says, for the idempotency hash and the trace. */
  readonly body: Readonly<Record<string, string | number | boolean>>;
  /** Writes that it is made of. */
  readonly writes: number;
  /** False: the product takes no Idempotency-Key for it, so each try is a request. */
  readonly isIdempotent?: boolean;
  serve(ports: UseCasePorts, caller: Caller, scope: IdempotencyScope | undefined): Promise<Outcome>;
}

export interface RequestGround {
  readonly random: SeededRandom;
  readonly book: KeyBook;
  readonly keyspaces: readonly string[];
  /** That a keyspace may be given, seconds. */
  readonly leases: readonly number[];
  readonly workspaceId: Caller['workspaceId'];
}

export const ownerNames = ['billing', 'orders', 'crawler', 'fleet-7', 'partner', 'backup'] as const;
const noKeys: Outcome['handedOut'] = [];

/** How often each is asked for. */
const weights = {
  issue: 22,
  issueMany: 2,
  rotate: 14,
  rotateSlowly: 1,
  finish: 9,
  forceFinish: 2,
  revoke: 9,
  suspend: 6,
  resume: 8,
  suspendOwner: 3,
  resumeOwner: 5,
  revokeOwner: 1,
  lease: 1,
  revokeKeyspace: 0.2,
  campaign: 2,
} as const;

export type RequestName = keyof typeof weights;

/** Draws a request; undefined: there is nothing to ask for. */
export function drawRequest(ground: RequestGround): SimRequest | undefined {
  const { random, book } = ground;
  const isCrowded = book.size > 100;
  const name = isCrowded && random.chance(0.3) ? 'revoke' : random.weighted<RequestName>(weights);
  return requestOf(name, ground);
}

export function requestOf(name: RequestName, ground: RequestGround, key?: KnownKey): SimRequest | undefined {
  return makers[name](ground, key);
}

type Maker = (ground: RequestGround, given?: KnownKey) => SimRequest | undefined;

/** A request about one key that is known. */
function about(
  name: string,
  act: (key: KnownKey, random: SeededRandom) => Omit<SimRequest, 'name' | 'writes'>,
): Maker {
  return ({ book, random }, given) => {
    const isRotating = name === 'finish' || name === 'forceFinish';
    const key = given ?? book.pick((each) => !isRotating || each.secrets.length > 1);
    return key === undefined ? undefined : { name, writes: 1, ...act(key, random) };
  };
}

function termsOf({ random, keyspaces }: RequestGround): KeyTerms {
  const ttlSeconds = random.pick([undefined, undefined, 60, 300, 1800]);
  return {
    keyspace: random.pick(keyspaces),
    owner: { kind: 'service', externalId: random.pick(ownerNames) },
    name: 'simulated',
    scopes: ['orders:read'],
    metadata: {},
    ...(ttlSeconds === undefined ? {} : { ttlSeconds: ttlSeconds + random.below(60) }),
  };
}

function aboutOwner(name: string, act: (ownerId: OwnerId) => SimRequest['serve']): Maker {
  return ({ random, workspaceId }) => {
    const owner = random.pick(ownerNames);
    return { name, writes: 1, body: { owner }, serve: act(ownerIdOf(workspaceId, 'service', owner)) };
  };
}

const makers: Readonly<Record<RequestName, Maker>> = {
  issue(ground) {
    const terms = termsOf(ground);
    return {
      name: 'issue',
      writes: 1,
      body: { keyspace: terms.keyspace, owner: terms.owner.externalId, ttl: terms.ttlSeconds ?? 0 },
      async serve(ports, caller, scope) {
        const issued = await issueOneKey(ports, caller, terms, scope);
        return { handedOut: [{ ...issued, keyspace: terms.keyspace }], at: issued.at };
      },
    };
  },
  issueMany(ground) {
    const items = Array.from({ length: 2 + ground.random.below(5) }, () => termsOf(ground));
    return {
      name: 'issueMany',
      writes: 1,
      body: { count: items.length },
      async serve(ports, caller, scope) {
        const results = await issueManyKeys(ports, caller, items, scope);
        return {
          handedOut: results.flatMap((result, at) =>
            'issued' in result ? [{ ...result.issued, keyspace: items[at]?.keyspace ?? '' }] : [],
          ),
        };
      },
    };
  },
  rotate: rotating((random) => ({
    graceSeconds: random.pick([0, 20, 120, 600, 900]),
    cut: random.chance(0.3),
  })),
  rotateSlowly: rotating(() => ({ graceSeconds: 900, cut: false })),
  finish: finishing('finish', false),
  forceFinish: finishing('forceFinish', true),
  revoke: about('revoke', (key) => {
    key.isEnding = true;
    return {
      body: { key: key.id },
      async serve(ports, caller, scope) {
        const ended = await revokeOneKey(ports, caller, { id: key.id, reason: 'simulated' }, scope);
        const { effectiveByMs, at } = ended;
        return { handedOut: noKeys, effectiveByMs, at, endedId: key.id };
      },
    };
  }),
  suspend: about('suspend', (key) => ({
    body: { key: key.id },
    async serve(ports, caller, scope) {
      const { effectiveByMs, at } = await suspendOneKey(ports, caller, key.id, scope);
      return { handedOut: noKeys, effectiveByMs, at };
    },
  })),
  resume: about('resume', (key) => ({
    body: { key: key.id },
    async serve(ports, caller, scope) {
      const { at } = await resumeOneKey(ports, caller, key.id, scope);
      return { handedOut: noKeys, at };
    },
  })),
  suspendOwner: aboutOwner('suspendOwner', (id) => async (ports, caller, scope) => {
    const { at } = await suspendOneOwner(ports, caller, id, scope);
    return { handedOut: noKeys, at };
  }),
  resumeOwner: aboutOwner('resumeOwner', (id) => async (ports, caller, scope) => {
    const { at } = await resumeOneOwner(ports, caller, id, scope);
    return { handedOut: noKeys, at };
  }),
  revokeOwner: aboutOwner('revokeOwner', (id) => async (ports, caller, scope) => {
    const { at } = await revokeKeysOfOwner(ports, caller, id, scope);
    return { handedOut: noKeys, at };
  }),
  lease({ random, keyspaces, leases }) {
    const keyspace = random.pick(keyspaces);
    const leaseSeconds = random.pick(leases);
    return {
      name: 'lease',
      writes: 1,
      isIdempotent: false,
      body: { keyspace, leaseSeconds },
      async serve(ports, caller) {
        const { at } = await updateOneKeyspace(ports, caller, keyspace, { leaseSeconds });
        return { handedOut: noKeys, at };
      },
    };
  },
  revokeKeyspace({ random, keyspaces }) {
    const keyspace = random.pick(keyspaces);
    return {
      name: 'revokeKeyspace',
      writes: 2,
      body: { keyspace },
      async serve(ports, caller, scope) {
        const { at } = await revokeKeysOfKeyspace(ports, caller, keyspace, scope);
        return { handedOut: noKeys, at };
      },
    };
  },
  campaign({ random, keyspaces, workspaceId }) {
    const keyspace = random.pick(keyspaces);
    const owner = random.pick(ownerNames);
    const kind = random.pick(['rotate', 'rotate', 'revoke'] as const);
    return {
      name: 'campaign',
      writes: 1,
      body: { keyspace, owner, kind },
      async serve(ports, caller, scope) {
        const selector = { keyspace, ownerId: ownerIdOf(workspaceId, 'service', owner) };
        const rotate = {
          windowSeconds: 60,
          deadlineMs: ports.clock.nowMs() + 4_000_000,
          onDeadline: 'cut_old',
        } as const;
        const { at } = await startCampaign(
          ports,
          caller,
          {
            kind,
            selector,
            confirm: 'all',
            holdSeconds: 3,
            pace: { keysPerSecond: 2 },
            ...(kind === 'rotate' ? rotate : {}),
          },
          scope,
        );
        return { handedOut: noKeys, at };
      },
    };
  },
};

function finishing(name: string, force: boolean): Maker {
  return about(name, (key) => ({
    body: { key: key.id },
    async serve(ports, caller, scope) {
      const { at, effectiveByMs } = await finishKeyRotation(ports, caller, { id: key.id, force }, scope);
      return { handedOut: noKeys, at, effectiveByMs };
    },
  }));
}

function rotating(
  termsOf: (random: SeededRandom) => { readonly graceSeconds: number; readonly cut: boolean },
) {
  return about('rotate', (key, random) => {
    const terms = termsOf(random);
    return {
      body: { key: key.id, ...terms },
      async serve(ports, caller, scope) {
        const rotated = await rotateOneKey(ports, caller, { id: key.id, ...terms }, scope);
        return {
          handedOut: [{ key: rotated.key, secret: rotated.secret, keyspace: key.keyspace }],
          effectiveByMs: rotated.effectiveByMs,
          at: rotated.at,
        };
      },
    };
  });
}
