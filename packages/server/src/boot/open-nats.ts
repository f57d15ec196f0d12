import { readFileSync } from 'node:fs';
import { operations } from '@keyswarm/contract';
import { Fault, type FeedRow, type Secret } from '@keyswarm/core';
import { createFeedPublisher, NatsLink, serveFeedOverNats } from '@keyswarm/nats';
import type { FeedStretch } from '@keyswarm/verifier';
import type { Caller } from '../access/caller.ts';
import { ConfigError } from '../config/config-error.ts';
import type { ServerConfig } from '../config/config-schema.ts';
import { type Authenticator, authenticate } from '../http/authenticate.ts';
import type { FeedDoor } from '../http/feed-door.ts';
import { answerLease } from '../http/lease-lane.ts';
import { wishesPauseMs } from '../limits.ts';
import type { Log } from '../logging/log.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Closing } from './close-in-order.ts';

/*
 * A server at its broker: what this process commits is published, verifiers are asked for their positions, and asks
 * for the lease are answered as they are over HTTP: the same credential, the same budget, and the asker registered
 * before the heads are read. Without the setting nothing of it is there; with it, a broker that is away changes nothing
 * but how soon others know.
 */

export interface NatsGround {
  readonly log: Log;
  readonly closing: Closing;
}

export interface NatsHouse {
  /** Rows that this process has just committed. */
  committed(rows: readonly FeedRow[]): void;
  /** Answers verifiers, and passes on the relay's wish to hear of them. Once there is something to answer from. */
  serve(from: { readonly feed: FeedDoor; readonly authenticator: Authenticator }): void;
}

export type NatsSettings = Pick<
  ServerConfig,
  'natsServers' | 'natsCredentialsFile' | 'natsPrefix' | 'natsReplicas' | 'natsDomain'
>;

/** Undefined where no broker is set. */
export function openNats(config: NatsSettings, { log, closing }: NatsGround): NatsHouse | undefined {
  const { natsPrefix: prefix, natsReplicas: replicas, natsDomain: domain } = config;
  const link = openNatsLink(config, 'keyswarm server', log);
  if (link === undefined) return undefined;
  closing.add('broker', () => link.close());
  const publisher = createFeedPublisher({
    link,
    timers: systemTimers,
    random: systemRandom,
    prefix,
    domain: domain ?? undefined,
    stream: { replicas },
    onStream: (problem) => {
      if (problem === undefined) log.info({}, 'the broker keeps the feed');
      else log.warn({ err: problem }, 'the broker does not keep the feed; it passes it on all the same');
    },
  });
  closing.add('publisher', () => publisher.close());
  return {
    committed: (rows) => publisher.publish(stretchesOf(rows)),
    serve({ feed, authenticator }) {
      const served = serveFeedOverNats({
        link,
        timers: systemTimers,
        random: systemRandom,
        prefix,
        service: {
          lease: async ({ body, credential }) => {
            const caller = await callerOf(authenticator, credential);
            const leave = feed.enter('lease', caller.keyId);
            try {
              return await answerLease(feed, caller, body as Parameters<typeof answerLease>[2]);
            } finally {
              leave();
            }
          },
          rows: async ({ shard, range, keyspaces, credential }, signal) => {
            const caller = await callerOf(authenticator, credential);
            if (shard >= feed.options.shards)
              throw new Fault('invalid_field', { detail: 'There is no such shard.' });
            const leave = feed.enter('rows', caller.keyId);
            try {
              return await (await feed.sourceFor(caller, keyspaces)).rows(shard, range, signal);
            } finally {
              leave();
            }
          },
        },
      });
      closing.add('answers at the broker', () => served.close());
      closing.add(
        'wishes at the broker',
        passOnWishes(feed.options, () => publisher.want()),
      );
    },
  };
}

/** Undefined where no broker is set. Throws a `ConfigError` that names what can't be used. */
export function openNatsLink(
  { natsServers, natsCredentialsFile }: Pick<NatsSettings, 'natsServers' | 'natsCredentialsFile'>,
  name: string,
  log: Log,
): NatsLink | undefined {
  if (natsServers === null) return undefined;
  const credentials = natsCredentialsFile === null ? undefined : credentialsIn(natsCredentialsFile);
  try {
    return new NatsLink({
      servers: natsServers,
      credentials,
      name,
      timers: systemTimers,
      random: systemRandom,
      onState: (state) => {
        if (state.kind === 'connected') log.info({ server: state.server }, 'connected to the broker');
        if (state.kind === 'away') log.warn({ err: state.error }, 'the broker is away; trying again');
      },
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ConfigError('KEYSWARM_NATS_SERVERS', error.message);
  }
}

function credentialsIn(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new ConfigError('KEYSWARM_NATS_CREDENTIALS_FILE', 'a .creds file that can be read');
  }
}

const { scope } = operations.askLease;

/** By the rules of HTTP: whatever is wrong with the key, the answer is the same. */
async function callerOf(authenticator: Authenticator, credential: Secret | undefined): Promise<Caller> {
  const authorization = credential === undefined ? undefined : `Bearer ${credential.reveal()}`;
  return authenticate(authenticator, { authorization, requestId: 'nats', scope });
}

/** Consecutive rows of a shard as one stretch. */
export function stretchesOf(rows: readonly FeedRow[]): readonly FeedStretch[] {
  const stretches: (Omit<FeedStretch, 'upTo' | 'rows'> & { upTo: number; rows: FeedRow[] })[] = [];
  for (const row of rows) {
    const { epoch, shard, seq } = row;
    const last = stretches.at(-1);
    if (last?.epoch === epoch && last.shard === shard && last.upTo === seq - 1) {
      last.upTo = seq;
      last.rows.push(row);
    } else stretches.push({ epoch, shard, after: seq - 1, upTo: seq, rows: [row] });
  }
  return stretches;
}

/** A reader of the relay that hears nothing but its wishes. Comes back when the relay has loaded a new table. */
function passOnWishes({ relay, standing }: FeedDoor['options'], want: () => void): () => void {
  let isClosed = false;
  let subscription: { close(): void } | undefined;
  let cancel = () => {};
  const subscribe = () => {
    subscription = relay.sourceFor({ keyspaces: new Set() }).subscribe(standing().heads, {
      stretch() {},
      wanted: want,
      ended: () => {
        if (!isClosed) cancel = systemTimers.after(wishesPauseMs, subscribe);
      },
    });
  };
  subscribe();
  return () => {
    isClosed = true;
    cancel();
    subscription?.close();
  };
}
