import { type FeedRow, hexOf, type WebhookId, type WorkspaceId } from '@keyswarm/core';
import {
  backlogReadMs,
  deliveryClaimMs,
  deliveryPollMs,
  deliveryWakeMs,
  pumpsMax,
  pumpsPerWorkspaceMin,
  webhookRefreshMs,
  webhooksServedMax,
} from '../limits.ts';
import type { CancelTimer } from '../runtime/timers.ts';
import type { SecretSealer } from '../signing/sealed-secret.ts';
import { listDocuments } from '../storage/statements/documents.ts';
import {
  type Backlog,
  claimCursors,
  hastenCursors,
  insertCursors,
  readBacklog,
  resumeCursors,
} from '../storage/statements/webhook-cursors.ts';
import { webhookOf } from '../webhooks/webhook.ts';
import { type Target, targetOf } from './delivery-target.ts';
import { type PumpServices, pump } from './pump.ts';

/*
 * Sees to it that webhooks are served. All processes share the work: whoever finds a place behind the feed claims it
 * and pumps until it is at the head. What this process commits it looks after at once; what others left, and retries
 * that have come due, within `deliveryPollMs`.
 *
 * A server without webhooks asks the store for their list now and then, and nothing else.
 */

export interface CourierOptions extends Omit<PumpServices, 'claimant' | 'recovered'> {
  readonly sealer: SecretSealer;
  readonly pollMs?: number;
}

const listPageRows = 200;

export class Courier {
  readonly #options: CourierOptions;
  readonly #services: PumpServices;
  readonly #leaving = new AbortController();
  #targets: ReadonlyMap<WebhookId, Target> = new Map();
  readonly #pumps = new Map<Promise<void>, WorkspaceId>();
  readonly #cancels: CancelTimer[] = [];
  #listedAtMs = -Infinity;
  #isWaking = false;
  #round: Promise<void> = Promise.resolve();
  #backlog: Backlog = { rows: 0, oldestSeconds: 0 };

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#services = {
      ...options,
      claimant: hexOf(options.random.bytes(12)),
      recovered: async ({ id }) => {
        await resumeCursors(options.store, id);
        this.wake();
      },
    };
  }

  get backlog(): Backlog {
    return this.#backlog;
  }

  start(): void {
    const { timers, pollMs = deliveryPollMs } = this.#options;
    this.#cancels.push(timers.every(pollMs, () => this.wake()));
    this.#cancels.push(timers.every(backlogReadMs, () => void this.#countBacklog()));
    this.wake();
  }

  /** Hears of what this process has committed. */
  committed(rows: readonly FeedRow[]): void {
    if (rows.some(({ type }) => type.startsWith('webhook.'))) this.#listedAtMs = -Infinity;
    else if (this.#targets.size === 0) return;
    this.wake();
  }

  /** Looks soon. Asked for many times at once it looks once. */
  wake(): void {
    if (this.#isWaking || this.#leaving.signal.aborted) return;
    this.#isWaking = true;
    this.#options.timers.after(deliveryWakeMs, () => {
      this.#isWaking = false;
      this.#round = this.#round.then(() => this.#look());
    });
  }

  /** Begins nothing further, lets requests under way end and gives every place back. */
  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#leaving.abort();
    await this.#round;
    await Promise.all(this.#pumps.keys());
    this.#options.sender.close();
  }

  async #look(): Promise<void> {
    if (this.#leaving.signal.aborted) return;
    try {
      await this.#list();
      await this.#claim();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'webhooks could not be looked after; trying again');
    }
  }

  async #list(): Promise<void> {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#listedAtMs + webhookRefreshMs) return;
    this.#listedAtMs = nowMs;
    const targets = new Map<WebhookId, Target>();
    for (const target of await this.#readTargets()) {
      await this.#prepare(target, this.#targets.get(target.id));
      targets.set(target.id, target);
    }
    this.#targets = targets;
    if (this.#targets.size >= webhooksServedMax) {
      log.error({ served: webhooksServedMax }, 'there are more webhooks than can be served');
    }
  }

  /** A new one has its places made; one that was changed is tried again at once. */
  async #prepare(target: Target, before: Target | undefined): Promise<void> {
    const { store } = this.#options;
    if (before?.revision === target.revision) return;
    const { id: webhookId, workspaceId, from } = target;
    await insertCursors(store, { webhookId, workspaceId, ...from });
    if (target.revision > 1) await hastenCursors(store, webhookId);
  }

  async #readTargets(): Promise<readonly Target[]> {
    const { store, shards, sealer, log } = this.#options;
    const targets: Target[] = [];
    let after: WebhookId | undefined;
    while (targets.length < webhooksServedMax) {
      const list = { kind: 'wh', state: 'active', after, limit: listPageRows } as const;
      const found = (await listDocuments(store, list, shards)).map(webhookOf);
      for (const webhook of found) {
        try {
          const target = targetOf(webhook, sealer);
          if (target !== undefined) targets.push(target);
        } catch (error) {
          log.error({ webhook: webhook.id, err: error }, 'a webhook can not be served');
        }
      }
      after = found.at(-1)?.id;
      if (found.length < listPageRows) break;
    }
    return targets;
  }

  async #claim(): Promise<void> {
    const limit = pumpsMax - this.#pumps.size;
    if (this.#targets.size === 0 || limit <= 0) return;
    const claims = await claimCursors(this.#options.store, {
      claimant: this.#services.claimant,
      claimMs: deliveryClaimMs,
      webhooks: this.#places(),
      limit,
    });
    for (const claim of claims) {
      const target = this.#targets.get(claim.webhookId);
      if (target === undefined) continue;
      // Past its share, since there is another workspace now: it gives the place back at the end of a page.
      const targetNow = () =>
        this.#takenBy(target.workspaceId) > this.#share() ? undefined : this.#targets.get(claim.webhookId);
      const claimed = { claim, target, targetNow };
      const running: Promise<void> = pump(this.#services, claimed, this.#leaving.signal)
        .catch((error: unknown) => {
          this.#options.log.warn(
            { webhook: target.id, shard: claim.shard, err: error },
            'a delivery stopped',
          );
        })
        .finally(() => {
          this.#pumps.delete(running);
          // What was committed while the place was being given back has found it taken.
          this.wake();
        });
      this.#pumps.set(running, target.workspaceId);
    }
  }

  /** A workspace has its share of the pumps, however slow its consumers are, and one that is alone leaves room for a second. */
  #share(): number {
    const workspaces = new Set([...this.#targets.values()].map(({ workspaceId }) => workspaceId));
    const equal = Math.max(pumpsPerWorkspaceMin, Math.floor(pumpsMax / workspaces.size));
    return Math.min(equal, pumpsMax - pumpsPerWorkspaceMin);
  }

  /** How many more pairs of its workspace each webhook may be served in. */
  #places(): readonly { readonly id: WebhookId; readonly places: number }[] {
    const share = this.#share();
    return [...this.#targets.values()].map(({ id, workspaceId }) => ({
      id,
      places: share - this.#takenBy(workspaceId),
    }));
  }

  #takenBy(workspaceId: WorkspaceId): number {
    let taken = 0;
    for (const one of this.#pumps.values()) if (one === workspaceId) taken += 1;
    return taken;
  }

  async #countBacklog(): Promise<void> {
    if (this.#targets.size === 0) {
      this.#backlog = { rows: 0, oldestSeconds: 0 };
      return;
    }
    try {
      this.#backlog = await readBacklog(this.#options.store, [...this.#targets.keys()]);
    } catch {
      // The store is away, which others tell of; the figure stays what it was.
    }
  }
}
