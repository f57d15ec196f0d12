import {
  afterWaiting,
  type Campaign,
  type CampaignId,
  completeStage,
  type DocumentRecord,
  finishCampaign,
  isEnded,
  nextStage,
  shardOfId,
  tripCampaign,
} from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Change } from '../lanes/lane-port.ts';
import { campaignClaimMs, campaignCountShare, campaignNoteMs, campaignsAtOnceMax } from '../limits.ts';
import type { VerifyReading } from '../metrics/verify-load.ts';
import { campaignOf, progressIdOf, progressOf, rosterIdOf } from './campaign-documents.ts';
import { CampaignWork } from './campaign-work.ts';
import { writeOf } from './change-campaign.ts';
import { actorOf, writeChunk } from './write-chunk.ts';

/*
 * What moves campaigns on. Every server process has one, and looks now and then for campaigns that run; one process
 * works on a campaign at a time, so that its pace is one pace. It claims the campaign for a few seconds, by a write to
 * the campaign itself, and goes on claiming while it lives. If it dies another one claims it when the time is over.
 *
 * The claim is for the pace and for nothing else: that no key is taken twice rests on the journal (write-chunk.ts), which
 * a process whose claim has lapsed without its noticing meets as well as any other.
 *
 * One step does what can be done now and waits for nothing; whoever drives it calls it again.
 */

export interface CampaignDriverOptions {
  readonly ports: UseCasePorts;
  /** Names this process in claims. */
  readonly driverId: string;
  /** How verifications of this process fare. */
  readonly reading: () => VerifyReading;
  /** How often a campaign's own record is written while it is worked on. */
  readonly tickMs?: number;
  readonly onProblem?: (problem: { readonly campaignId: CampaignId; readonly error: unknown }) => void;
}

interface Held {
  readonly work: CampaignWork;
  notedMs: number;
  /** Not to be counted again before. */
  countAtMs: number;
  counted: { readonly renewed: number; readonly open: number } | undefined;
}

/** What the driver has seen since the campaign's record was written last. */
interface Seen {
  readonly held: Held;
  readonly isOverBudget: boolean;
}

export class CampaignDriver {
  readonly #options: CampaignDriverOptions;
  readonly #held = new Map<CampaignId, Held>();

  constructor(options: CampaignDriverOptions) {
    this.#options = options;
  }

  /** Are there campaigns that this process works on? */
  get isHolding(): boolean {
    return this.#held.size > 0;
  }

  /** True where there is more to do at once. */
  async step(): Promise<boolean> {
    const { reader } = this.#options.ports;
    const list = { kind: 'camp', limit: campaignsAtOnceMax } as const;
    const running = await reader.documents({ ...list, state: 'running' });
    const finishing = await reader.documents({ ...list, state: 'finishing' });
    const documents = [...running, ...finishing];
    const present = new Set<string>(documents.map(({ id }) => id));
    for (const id of this.#held.keys()) if (!present.has(id)) this.#held.delete(id);
    let isBusy = false;
    for (const document of documents) {
      const campaign = campaignOf(document);
      try {
        if (await this.#workOn(campaign)) isBusy = true;
      } catch (error) {
        // Taken up anew, from the journal, at a later step: by this process or by another.
        this.#held.delete(campaign.id);
        this.#options.onProblem?.({ campaignId: campaign.id, error });
      }
    }
    return isBusy;
  }

  async #workOn(stored: Campaign): Promise<boolean> {
    const { ports } = this.#options;
    let held = this.#held.get(stored.id);
    let campaign: Campaign | undefined = stored;
    if (held === undefined || this.#isTickDue(held)) {
      campaign = await this.#note(stored, held);
      if (campaign === undefined) {
        this.#held.delete(stored.id);
        return false;
      }
      held ??= await this.#takeUp(campaign);
    }
    const chunks = isAtKeys(campaign) ? held.work.next(campaign, ports.clock.monotonicMs()) : [];
    const now = campaign;
    const { work } = held;
    const nowMs = chunks.length === 0 ? Number.NaN : await ports.storeClock.nowMs();
    await Promise.all(
      chunks.map(async (chunk) => {
        work.wrote(chunk, await writeChunk(ports, { campaign: now, ...chunk, nowMs }));
      }),
    );
    // What comes next is noted at once, so that a stage does not end with a wait for the tick.
    if (isAtKeys(campaign) && work.isStageDone(campaign)) held.notedMs = Number.NEGATIVE_INFINITY;
    return chunks.length > 0;
  }

  #isTickDue(held: Held): boolean {
    const sinceMs = this.#options.ports.clock.monotonicMs() - held.notedMs;
    return sinceMs >= (this.#options.tickMs ?? campaignNoteMs);
  }

  async #takeUp({ id }: Campaign): Promise<Held> {
    const { reader, shards, clock } = this.#options.ports;
    const documents = await Promise.all(
      Array.from({ length: shards }, (_, shard) => reader.document(progressIdOf(id, shard))),
    );
    const nowMs = clock.monotonicMs();
    // Read once more, for the pace that it was left with.
    const document = await reader.document(id);
    const campaign = campaignOf(document as DocumentRecord);
    const work = new CampaignWork(campaign, documents.map(progressOf), nowMs);
    const held = { work, notedMs: nowMs, countAtMs: Number.NEGATIVE_INFINITY, counted: undefined };
    this.#held.set(id, held);
    return held;
  }

  /** Claims the campaign, or goes on claiming it, and writes what was seen; undefined: it is not for this process now. */
  async #note(stored: Campaign, held: Held | undefined): Promise<Campaign | undefined> {
    const { ports, driverId, reading } = this.#options;
    const { id, workspaceId } = stored;
    const seen = held && (await this.#see(stored, held, reading()));
    const receipt = await ports.lanes.submit<Campaign | undefined>({
      shard: shardOfId(id, ports.shards),
      weight: 1,
      actor: actorOf(stored),
      reads: { documents: [id, rosterIdOf(workspaceId)] },
      decide(view, nowMs) {
        const document = view.document(id);
        const present = document && campaignOf(document);
        if (document === undefined || present === undefined || !isMoving(present)) {
          return { changes: [], reply: undefined };
        }
        const isOthers = present.driver !== null && present.driver !== driverId;
        if (isOthers && nowMs < present.driverUntilMs) return { changes: [], reply: undefined };
        const claimed = { ...present, driver: driverId, driverUntilMs: nowMs + campaignClaimMs };
        // Another process may have gone on meanwhile: what this one saw is of no use then.
        const after = seen === undefined || isOthers ? claimed : moveOn(withSeen(claimed, seen), seen, nowMs);
        const event = eventOf(present, after);
        const data = { actor: null, totals: after.totals };
        return { ...writeOf(view, { document, campaign: after, event, data }, nowMs), reply: after };
      },
    });
    const campaign = receipt.reply;
    if (held !== undefined) {
      held.notedMs = ports.clock.monotonicMs();
      // A count from before all were asked does not say that all have renewed.
      if (campaign?.phase !== stored.phase) {
        held.counted = undefined;
        held.countAtMs = Number.NEGATIVE_INFINITY;
      }
    }
    return campaign !== undefined && isMoving(campaign) ? campaign : undefined;
  }

  async #see(stored: Campaign, held: Held, reading: VerifyReading): Promise<Seen> {
    const { ports } = this.#options;
    const isOverBudget = held.work.isOverBudget(stored, reading);
    held.work.look(stored, reading);
    const monotonicMs = ports.clock.monotonicMs();
    const isDue = stored.kind === 'rotate' && monotonicMs >= held.countAtMs;
    if (isDue) {
      const nowMs = await ports.storeClock.nowMs();
      held.counted = await ports.reader.countAskedKeys({ campaignId: stored.id, nowMs });
      const doneMs = ports.clock.monotonicMs();
      held.countAtMs = doneMs + (doneMs - monotonicMs) / campaignCountShare;
    }
    return { held, isOverBudget };
  }
}

function withSeen(campaign: Campaign, { held }: Seen): Campaign {
  const { work, counted } = held;
  const { rate, throttledBy } = work.pace;
  const totals = { ...campaign.totals, ...work.totals(), ...counted };
  return { ...campaign, rate, throttledBy, totals };
}

/** What follows from what was seen, if anything does. */
function moveOn(campaign: Campaign, { held, isOverBudget }: Seen, nowMs: number): Campaign {
  if (campaign.phase === 'wait') return held.counted === undefined ? campaign : afterWaiting(campaign, nowMs);
  if (campaign.holdUntilMs !== null) {
    if (isOverBudget) return tripCampaign(campaign);
    return nowMs >= campaign.holdUntilMs ? nextStage(campaign) : campaign;
  }
  if (!held.work.isStageDone(campaign)) return campaign;
  return campaign.phase === 'enforce' ? finishCampaign(campaign, nowMs) : completeStage(campaign, nowMs);
}

function eventOf(before: Campaign, after: Campaign): Change['event'] | undefined {
  if (before.state === after.state) return undefined;
  if (isEnded(after)) return 'campaign.finished';
  return after.state === 'paused' ? 'campaign.paused' : undefined;
}

function isMoving({ state }: Campaign): boolean {
  return state === 'running' || state === 'finishing';
}

function isAtKeys({ phase, holdUntilMs }: Campaign): boolean {
  return phase !== 'wait' && holdUntilMs === null;
}
