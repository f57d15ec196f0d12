import { eventView } from '@keyswarm/contract';
import { type DeadLetterId, type FeedRow, idFromUuidBytes, type JsonObject, uuidV7 } from '@keyswarm/core';
import type { MessageSender, PostOutcome } from '../egress/message-sender.ts';
import {
  deliveriesAtOnceMax,
  deliveryAttemptsMax,
  deliveryClaimMs,
  deliveryPageRows,
  deliveryRetryMsMax,
  deliveryRetryMsMin,
  webhookFailingMsMax,
} from '../limits.ts';
import type { Log } from '../logging/log.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Random, unitInterval } from '../runtime/random.ts';
import type { Timers } from '../runtime/timers.ts';
import type { DeadLetter, DeadLetterKind } from '../storage/dead-letter-port.ts';
import { readableRows } from '../storage/readable-rows.ts';
import { insertDeadLetter } from '../storage/statements/dead-letters.ts';
import { readDeliveries } from '../storage/statements/read-deliveries.ts';
import { type ClaimedCursor, type SavedCursor, saveCursor } from '../storage/statements/webhook-cursors.ts';
import type { Queryable, Store } from '../storage/store.ts';
import { deliverRows } from './deliver-rows.ts';
import { concerns, secretsAt, type Target } from './delivery-target.ts';
import { signedHeaders } from './sign-message.ts';

/*
 * Serves one shard of the feed to one webhook, from its place to the head, and then gives the place back. The feed is
 * the queue: what waits takes no memory but one page, however much it is.
 *
 * At least once: the place is written after the consumer has answered. In order: events of one key (owner, keyspace
 * …) are in one shard and go out one after the other; an event that fails holds up all behind it until it is taken or
 * given up. One that was given up is a dead letter, and the rest goes on: what holds then is that the others of its
 * key come in order, and it comes late or never.
 *
 * While the consumer fails, one request at a time probes it, so that a restart finds no herd.
 */

export interface PumpServices {
  readonly store: Store;
  readonly shards: number;
  readonly sender: MessageSender;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Of this process. */
  readonly claimant: string;
  readonly observer: DeliveryObserver;
  /** It has failed for too long, or said that it is gone. */
  readonly disable: (target: Target, reason: 'failing' | 'gone') => Promise<void>;
  /** It takes events again: what waits in other shards needn't wait for its time. */
  readonly recovered: (target: Target) => Promise<void>;
  /** Fewer for tests. */
  readonly attemptsMax?: number;
  readonly retryMsMin?: number;
  readonly failingMsMax?: number;
}

export interface DeliveryObserver {
  posted(outcome: PostOutcome, lagMs: number): void;
  died(kind: DeadLetterKind): void;
}

type Failure = Extract<PostOutcome, { readonly kind: 'failed' }>;

export interface Claimed {
  readonly claim: ClaimedCursor;
  readonly target: Target;
  /** As it is now: undefined once it is no longer active. */
  readonly targetNow: () => Target | undefined;
}

/** Resolves when there is nothing left, the consumer fails, the claim is lost or `signal` says so. */
export async function pump(services: PumpServices, claimed: Claimed, signal: AbortSignal): Promise<void> {
  const run = new PumpRun(services, claimed, signal);
  try {
    await run.toTheHead();
  } finally {
    run.end();
  }
}

class PumpRun {
  readonly #services: PumpServices;
  readonly #targetNow: () => Target | undefined;
  #target: Target;
  readonly #claim: ClaimedCursor;
  /** Aborted from outside, or when the claim is lost. */
  readonly #stop: AbortController;
  readonly #signal: AbortSignal;
  readonly #cancelRenewal: () => void;
  /**
   * In a new epoch numbers may have been given a second time. The feed is gone through from its beginning, and of what
   * was there before only that is sent which is behind the place: see `#isWanted`.
   */
  readonly #isNewEpoch: boolean;
  /** The last row that is delivered, or not to be. */
  #seq: number;
  #isAtTheHead = false;
  #attempts: number;
  #isFailing: boolean;
  #lastError: string | null = null;
  #renewing: Promise<unknown> = Promise.resolve();

  constructor(services: PumpServices, { claim, target, targetNow }: Claimed, signal: AbortSignal) {
    this.#services = services;
    this.#target = target;
    this.#targetNow = targetNow;
    this.#claim = claim;
    this.#isNewEpoch = claim.epoch !== claim.headEpoch;
    this.#seq = this.#isNewEpoch ? 0 : claim.seq;
    this.#attempts = claim.attempts;
    this.#isFailing = claim.attempts > 0;
    this.#stop = new AbortController();
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    this.#cancelRenewal = services.timers.every(deliveryClaimMs / 3, () => {
      this.#renewing = this.#save({}).catch(() => this.#stop.abort());
    });
  }

  end(): void {
    this.#cancelRenewal();
  }

  async toTheHead(): Promise<void> {
    for (let goesOn = true; goesOn && !this.#signal.aborted; ) goesOn = await this.#page();
    this.#cancelRenewal();
    await this.#renewing;
    // Given back at the place that is reached; where it was given back already, or lost, nothing is written.
    await this.#save({ claimMs: null });
  }

  /** May there be more? */
  async #page(): Promise<boolean> {
    const { store } = this.#services;
    const { shard } = this.#claim;
    const target = this.#targetNow();
    if (target === undefined) return false;
    this.#target = target;
    const { workspaceId, types } = target;
    const read = { shard, after: this.#seq, workspaceId, types, scanRows: deliveryPageRows };
    const { bodies, scanned } = await readDeliveries(store, read);
    if (scanned === undefined) return this.#nothingLeft();
    if (!this.#isNewEpoch && scanned.from > this.#seq + 1) await this.#tellLost(scanned.from - 1);
    const readable = readableRows(bodies, this.#claim.headEpoch);
    const rows = readable.rows.filter((row) => this.#isWanted(row));
    const probes = this.#isFailing ? rows.slice(0, 1) : [];
    const isBack = await this.#deliver(probes);
    if (isBack && probes.length > 0) await this.#services.recovered(target);
    const areDelivered = isBack && (await this.#deliver(rows.slice(probes.length)));
    // What was given up is behind the place, and the rest is read anew.
    if (!areDelivered) return this.#isFailing && this.#attempts === 0;
    // Before a row that can't be read it stands, and looks again when it is next taken up.
    this.#seq = readable.stopsAt === undefined ? scanned.to : readable.stopsAt - 1;
    await this.#save({});
    return readable.stopsAt === undefined;
  }

  /** Rows that the head speaks of are gone: all of them, up to it. */
  async #nothingLeft(): Promise<boolean> {
    const { headSeq } = this.#claim;
    if (!this.#isNewEpoch && this.#seq < headSeq) await this.#tellLost(headSeq);
    this.#isAtTheHead = true;
    return false;
  }

  /** All of them? If not, the place and what follows have been written. */
  async #deliver(rows: readonly FeedRow[]): Promise<boolean> {
    const { failed, done } = await deliverRows<FeedRow, Failure>(rows, {
      deliver: (row) => this.#post(row),
      atOnceMax: deliveriesAtOnceMax,
      signal: this.#signal,
      onProgress: (count) => {
        this.#seq = rows[count - 1]?.seq ?? this.#seq;
        this.#isFailing = false;
        this.#attempts = 0;
      },
    });
    if (done === rows.length) return true;
    const row = rows[failed?.index ?? -1];
    if (failed !== undefined && row !== undefined) await this.#noteFailure(row, failed.failure);
    // One behind had failed before this one began: it is this one's turn.
    else if (!this.#signal.aborted) return this.#deliver(rows.slice(done));
    return false;
  }

  async #post(row: FeedRow): Promise<Failure | undefined> {
    const { clock, sender, observer } = this.#services;
    const event = eventView(row);
    const nowMs = clock.nowMs();
    const body = JSON.stringify(event);
    const message = { id: event.id, timestampSeconds: Math.floor(nowMs / 1000), body };
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'keyswarm',
      ...signedHeaders(message, secretsAt(this.#target, nowMs)),
    };
    const outcome = await sender.post(this.#target.url, headers, body);
    observer.posted(outcome, Math.max(0, clock.nowMs() - row.atMs));
    return outcome.kind === 'failed' ? outcome : undefined;
  }

  async #noteFailure(row: FeedRow, failure: Failure): Promise<void> {
    const { attemptsMax = deliveryAttemptsMax, failingMsMax = webhookFailingMsMax } = this.#services;
    this.#attempts += 1;
    this.#isFailing = true;
    this.#lastError = said(failure);
    if (failure.reason === 'gone') {
      await this.#save({ claimMs: null, retryInMs: this.#retryInMs(failure) });
      return this.#services.disable(this.#target, 'gone');
    }
    if (this.#attempts >= attemptsMax) return this.#giveUp(row, failure);
    const failingMs = await this.#save({ claimMs: null, retryInMs: this.#retryInMs(failure) });
    if (failingMs >= failingMsMax) await this.#services.disable(this.#target, 'failing');
  }

  #retryInMs({ retryAfterMs }: Failure): number {
    const { random, retryMsMin = deliveryRetryMsMin } = this.#services;
    const backoffMs = Math.min(retryMsMin * 4 ** (this.#attempts - 1), deliveryRetryMsMax);
    return Math.max(backoffMs * (0.5 + unitInterval(random)), retryAfterMs ?? 0);
  }

  async #giveUp(row: FeedRow, failure: Failure): Promise<void> {
    const event = eventView(row) as unknown as JsonObject;
    const letter = this.#letter('event', event, { reason: said(failure), attempts: this.#attempts });
    this.#attempts = 0;
    this.#seq = row.seq;
    await this.#bury(letter);
  }

  async #tellLost(to: number): Promise<void> {
    const from = this.#seq + 1;
    const { shard, epoch } = this.#claim;
    this.#services.log.error(
      { webhook: this.#target.id, shard, from, to },
      'events were gone from the feed before they were delivered',
    );
    const reason = 'the feed no longer had these events when their turn came';
    const letter = this.#letter(
      'range',
      { epoch, shard, from_seq: from, to_seq: to },
      { reason, attempts: 0 },
    );
    this.#seq = to;
    await this.#bury(letter);
  }

  /** With the place, in one transaction: told of once, and never passed over untold. */
  async #bury(letter: DeadLetter): Promise<void> {
    const { store, shards, observer } = this.#services;
    const failingMs = await store.transaction(async (tx) => {
      await insertDeadLetter(tx, letter, shards);
      return this.#save({}, tx);
    });
    observer.died(letter.kind);
    const { failingMsMax = webhookFailingMsMax } = this.#services;
    if (failingMs >= failingMsMax) {
      this.#stop.abort();
      await this.#services.disable(this.#target, 'failing');
    }
  }

  #letter(
    kind: DeadLetterKind,
    body: JsonObject,
    { reason, attempts }: { readonly reason: string; readonly attempts: number },
  ): DeadLetter {
    const { clock, random } = this.#services;
    const id: DeadLetterId = idFromUuidBytes('dl', uuidV7(clock.nowMs(), random.bytes(10)));
    const { id: source, workspaceId } = this.#target;
    return { id, workspaceId, kind, source, body, reason, attempts, diedAtMs: clock.nowMs() };
  }

  /** For how long it has been failing. Throws when the claim was lost: then somebody else is at it. */
  async #save(
    change: Partial<Pick<SavedCursor, 'claimMs' | 'retryInMs'>>,
    tx: Queryable = this.#services.store,
  ): Promise<number> {
    const { shard, webhookId, epoch, seq, headEpoch } = this.#claim;
    const isThrough = !this.#isNewEpoch || this.#isAtTheHead || this.#seq >= seq;
    const failingMs = await saveCursor(tx, {
      shard,
      webhookId,
      claimant: this.#services.claimant,
      epoch: isThrough ? headEpoch : epoch,
      seq: isThrough ? this.#seq : seq,
      attempts: this.#attempts,
      isFailing: this.#isFailing,
      lastError: this.#lastError,
      retryInMs: null,
      claimMs: deliveryClaimMs,
      ...change,
    });
    if (failingMs === undefined) this.#stop.abort();
    else if (change.claimMs === null) this.#stop.abort();
    return failingMs ?? 0;
  }

  #isWanted(row: FeedRow): boolean {
    if (!concerns(this.#target, row)) return false;
    return !this.#isNewEpoch || row.epoch >= this.#claim.headEpoch || row.seq > this.#claim.seq;
  }
}

/** Of a closed set: what a consumer answers is not repeated. */
function said({ reason, status }: Failure): string {
  return status === null ? reason : `${reason}: status ${status}`;
}
