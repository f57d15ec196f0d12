import {
  type DemoState,
  type LiveFrame,
  liveKeyspacesMax,
  liveVerifiersMax,
  type VerifierList,
} from '@keyswarm/contract';
import { Fault, type KeyspaceRecord, leaseSecondsMax, type WorkspaceId } from '@keyswarm/core';
import {
  liveFramePeriodMs,
  liveKeyspacesRereadMs,
  liveWatchersMax,
  liveWatchersOfOneMax,
  shedRetryAfterMs,
} from '../limits.ts';
import type { MetricFamily } from '../metrics/merge-families.ts';
import type { Timers } from '../runtime/timers.ts';
import type { ChangeWatch } from './change-watch.ts';
import { flowFigures } from './flow-figures.ts';
import { FlowWindow } from './flow-window.ts';

/*
 * The flow, once a second, for whoever watches. One reading of the figures a second serves everybody, and one frame a
 * workspace, written out once, goes to all who watch that; so a hundred watchers cost a hundred writes to sockets.
 * While nobody watches nothing is read at all. Nothing here walks keys: what it costs is the same with one key and
 * with ten million.
 *
 * What it trades: who comes first waits for two readings until there are rates. What it is not: a store of figures;
 * what is to be looked at tomorrow is scraped.
 */

export interface LiveFlowOptions {
  readonly clock: { nowMs(): number; monotonicMs(): number };
  readonly timers: Timers;
  /** Of this process, or of all that share its port. */
  readonly families: () => Promise<readonly MetricFamily[]>;
  readonly changes: ChangeWatch;
  readonly laneDepths: () => readonly number[];
  readonly verifiers: (workspaceId: WorkspaceId) => Promise<VerifierList>;
  readonly keyspaces: (workspaceId: WorkspaceId, limit: number) => Promise<readonly KeyspaceRecord[]>;
  readonly demo: () => DemoState | null;
  readonly onProblem: (error: unknown) => void;
}

/** Takes the text of a frame; throws nothing. */
export type Watcher = (frame: string) => void;

interface Workspace {
  readonly watchers: Set<Watcher>;
  readonly window: { atMs: number; counts: Readonly<Record<string, number>> };
  keyspaces: LiveFrame['keyspaces'];
  keyspacesAtMs: number;
  verifiers: LiveFrame['verifiers'];
}

const millisecondsInSecond = 1000;

export class LiveFlow {
  readonly #options: LiveFlowOptions;
  readonly #workspaces = new Map<WorkspaceId, Workspace>();
  readonly #ofCaller = new Map<string, number>();
  #window = new FlowWindow();
  #watchers = 0;
  #isReading = false;
  #stop: (() => void) | undefined;

  constructor(options: LiveFlowOptions) {
    this.#options = options;
  }

  get watchers(): number {
    return this.#watchers;
  }

  /** Gives back what ends the watch. Throws where as many watch as can. */
  watch(workspaceId: WorkspaceId, callerId: string, watcher: Watcher): () => void {
    this.#admit(callerId);
    const workspace = this.#workspaces.get(workspaceId) ?? this.#open(workspaceId);
    workspace.watchers.add(watcher);
    this.#watchers += 1;
    if (this.#stop === undefined) {
      this.#window = new FlowWindow();
      this.#stop = this.#options.timers.every(liveFramePeriodMs, () => void this.#tell());
      void this.#tell();
    }
    return () => {
      if (!workspace.watchers.delete(watcher)) return;
      this.#watchers -= 1;
      this.#leave(callerId);
      if (workspace.watchers.size === 0) {
        this.#workspaces.delete(workspaceId);
        this.#options.changes.forget(workspaceId);
      }
      if (this.#watchers > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  #admit(callerId: string): void {
    const own = this.#ofCaller.get(callerId) ?? 0;
    if (this.#watchers >= liveWatchersMax || own >= liveWatchersOfOneMax) {
      throw new Fault(own >= liveWatchersOfOneMax ? 'rate_limited' : 'overloaded', {
        detail: 'As many as can be are watching.',
        retryAfterMs: shedRetryAfterMs,
      });
    }
    this.#ofCaller.set(callerId, own + 1);
  }

  #leave(callerId: string): void {
    const left = (this.#ofCaller.get(callerId) ?? 1) - 1;
    if (left === 0) this.#ofCaller.delete(callerId);
    else this.#ofCaller.set(callerId, left);
  }

  #open(workspaceId: WorkspaceId): Workspace {
    const { changes, clock } = this.#options;
    changes.watch(workspaceId);
    const workspace: Workspace = {
      watchers: new Set(),
      window: { atMs: clock.monotonicMs(), counts: {} },
      keyspaces: [],
      keyspacesAtMs: Number.NEGATIVE_INFINITY,
      verifiers: { items: [], total: 0 },
    };
    this.#workspaces.set(workspaceId, workspace);
    return workspace;
  }

  /** One at a time: a store that is slow makes frames rarer, and never more of them at once. */
  async #tell(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const figures = flowFigures(await this.#options.families());
      this.#window.add(this.#options.clock.monotonicMs(), figures);
      for (const [workspaceId, workspace] of this.#workspaces) {
        await this.#readStore(workspaceId, workspace);
        const text = JSON.stringify(this.#frame(workspaceId, workspace));
        for (const watcher of [...workspace.watchers]) watcher(text);
      }
    } catch (error) {
      this.#options.onProblem(error);
    } finally {
      this.#isReading = false;
    }
  }

  /** A store that can't be read leaves what was read before: the figures go on. */
  async #readStore(workspaceId: WorkspaceId, workspace: Workspace): Promise<void> {
    const { clock, keyspaces, verifiers } = this.#options;
    try {
      if (clock.monotonicMs() - workspace.keyspacesAtMs > liveKeyspacesRereadMs) {
        const found = await keyspaces(workspaceId, liveKeyspacesMax);
        workspace.keyspacesAtMs = clock.monotonicMs();
        workspace.keyspaces = found.map(({ id, name, leaseSeconds }) => ({
          id,
          name,
          lease_ms: leaseSeconds * millisecondsInSecond,
        }));
      }
      workspace.verifiers = tellable(await verifiers(workspaceId));
    } catch (error) {
      this.#options.onProblem(error);
    }
  }

  #frame(workspaceId: WorkspaceId, workspace: Workspace): LiveFrame {
    const { clock, changes, laneDepths, demo } = this.#options;
    const window = this.#window;
    const figures = window.last;
    const longest = Math.max(0, ...workspace.keyspaces.map(({ lease_ms }) => lease_ms));
    return {
      at: new Date(clock.nowMs()).toISOString(),
      interval_ms: Math.round(window.intervalMs),
      workers: figures?.workers ?? 1,
      verdicts: window.rates(({ verdicts }) => verdicts),
      changes: this.#changeRates(workspaceId, workspace),
      requests: window.rates(({ requests }) => requests),
      shed: window.rates(({ shed }) => shed),
      internal_errors: window.rates(({ internalErrors }) => ({ all: internalErrors })).all ?? 0,
      latency: {
        verify: window.quantiles('verify'),
        issue: window.quantiles('issue'),
        rotate: window.quantiles('rotate'),
        revoke: window.quantiles('revoke'),
        commit: window.quantiles('commit'),
      },
      lanes: { depths: laneDepths(), batch_writes: window.batchWrites() },
      in_flight: figures?.inFlight ?? {},
      versions: figures?.versions ?? 0,
      feed_lag_rows: figures?.feedLagRows ?? 0,
      keyspaces: workspace.keyspaces,
      verifiers: workspace.verifiers,
      endings: changes.endings(workspaceId, longest || leaseSecondsMax * millisecondsInSecond),
      demo: demo(),
    };
  }

  #changeRates(workspaceId: WorkspaceId, { window }: Workspace): Record<string, number> {
    const nowMs = this.#options.clock.monotonicMs();
    const counts = this.#options.changes.counts(workspaceId);
    const seconds = Math.max(0.001, (nowMs - window.atMs) / millisecondsInSecond);
    const rates: Record<string, number> = {};
    for (const [type, count] of Object.entries(counts)) {
      const grown = count - (window.counts[type] ?? 0);
      if (grown > 0) rates[type] = Math.round((grown / seconds) * 10) / 10;
    }
    window.atMs = nowMs;
    window.counts = counts;
    return rates;
  }
}

/** Of more than a frame can tell, those with the oldest leases: whom somebody looks for. */
function tellable({ items, total }: VerifierList): LiveFrame['verifiers'] {
  if (items.length <= liveVerifiersMax) return { items, total };
  const oldest = items.toSorted((a, b) => (b.lease_age_ms ?? Infinity) - (a.lease_age_ms ?? Infinity));
  return { items: oldest.slice(0, liveVerifiersMax), total };
}
