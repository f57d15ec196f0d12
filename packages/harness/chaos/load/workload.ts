import type { VerifyTarget } from '../../bound/verify-connection.ts';
import type { History } from '../history/history.ts';
import { refusalsEnough, watchesMax, watchPauseLongMs, watchPauseMs, writesUnderWayMax } from '../limits.ts';
import { keyspaces } from '../stage/stage.ts';
import { Arrivals } from './arrivals.ts';
import type { Clerk } from './clerk.ts';
import type { BookKey, KeyBook } from './key-book.ts';
import { Presenter } from './presenter.ts';

/*
 * What goes on all the time: keys are verified at every node and changed by every server, open loop, and each key that is revoked is
 * presented to every node until all have refused it. What is due when, and of which kind, comes from the seed; which key it meets
 * depends on the answers, as it does with clients.
 */

export interface Rates {
  /** Verifications a second at each node. */
  readonly verifies: number;
  readonly writes: number;
}

export interface WorkloadPorts {
  readonly targets: readonly (VerifyTarget & { readonly name: string })[];
  readonly clerk: Clerk;
  readonly book: KeyBook;
  readonly history: History;
  readonly rates: Rates;
  /** One stream of chance for each use, so that one more draw here changes nothing there. */
  readonly random: (use: string) => () => number;
  /** How long a revoked key is watched at the most: past its T. */
  readonly watchMs: (keyspace: string) => number;
}

export class Workload {
  readonly presenters: readonly Presenter[];
  readonly #ports: WorkloadPorts;
  readonly #loads: readonly Arrivals[];
  readonly #writes: Arrivals;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #choose: () => number;
  #stopped = false;
  /** Revocations that are watched and not acknowledged yet. */
  #watches = 0;

  constructor(ports: WorkloadPorts) {
    this.#ports = ports;
    const { history, rates, random } = ports;
    this.presenters = ports.targets.map((target) => new Presenter(target.name, target, history));
    this.#loads = this.presenters.map((presenter) => {
      const choose = random(`verify ${presenter.name}`);
      return new Arrivals(rates.verifies, random(`arrivals ${presenter.name}`), () =>
        this.#verify(presenter, choose),
      );
    });
    this.#choose = random('writes');
    this.#writes = new Arrivals(rates.writes, random('arrivals of writes'), () => this.#write());
  }

  start(): void {
    for (const load of this.#loads) load.start();
    this.#writes.start();
  }

  /** A multiple of the usual rate, of verifications and of writes. */
  setRates(rates: Rates): void {
    for (const load of this.#loads) load.setRate(rates.verifies);
    this.#writes.setRate(rates.writes);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#loads.map((load) => load.stop()), this.#writes.stop()]);
    await Promise.all(this.#underWay);
    for (const presenter of this.presenters) presenter.close();
  }

  /** Revokes it while every node is asked for it; true once that is acknowledged. */
  async revokeWatched(key: BookKey): Promise<boolean> {
    // While nothing is answered revocations pile up; so many are watched, and the others seen by the usual load.
    if (this.#watches >= watchesMax) return this.#ports.clerk.revoke(key);
    this.#watches += 1;
    const watch = { ackAtMs: Number.POSITIVE_INFINITY, isOver: false };
    for (const presenter of this.presenters) this.#track(this.#watchAt(presenter, key, watch));
    const acked = await this.#ports.clerk.revoke(key);
    if (acked) watch.ackAtMs = performance.now();
    else watch.isOver = true;
    this.#watches -= 1;
    return acked;
  }

  #verify(presenter: Presenter, choose: () => number): void {
    const { book } = this.#ports;
    const draw = choose();
    const key =
      draw < 0.35
        ? book.steady('strict')
        : draw < 0.6
          ? book.steady('usual')
          : draw < 0.92
            ? book.recent()
            : book.refused();
    if (key === undefined) return;
    // The old version of a rotation as often as the new one; an older one now and then.
    const newest = key.secrets.length;
    const version = Math.max(1, newest - (choose() < 0.5 ? 0 : choose() < 0.9 ? 1 : 2));
    const isFresh = draw >= 0.6 && choose() < 0.4;
    void presenter.present(key, version, isFresh);
  }

  #write(): void {
    if (this.#underWay.size >= writesUnderWayMax) {
      this.#ports.history.skip();
      return;
    }
    this.#track(this.#chosenWrite(this.#choose()));
  }

  async #chosenWrite(draw: number): Promise<unknown> {
    const { clerk, book } = this.#ports;
    const keyspace = this.#choose() < 0.7 ? 'strict' : 'usual';
    if (draw < 0.35) return clerk.issue({ keyspace, ttlSeconds: this.#choose() < 0.2 ? 4 : 3_600 });
    if (draw < 0.45) return this.#withFree((key) => clerk.rotate(key), isRotatable);
    if (draw < 0.5) return this.#withFree((key) => clerk.finish(key, this.#choose() < 0.3), isRotating);
    if (draw < 0.6) return this.#withFree((key) => clerk.suspend(key), isActive);
    if (draw < 0.7) return this.#withFree((key) => clerk.resume(key), isSuspended);
    if (draw < 0.85) return this.#withFree((key) => this.revokeWatched(key), isRevocable);
    const key = book.recent();
    return key === undefined ? undefined : clerk.read(key);
  }

  async #withFree(work: (key: BookKey) => Promise<unknown>, where: (key: BookKey) => boolean): Promise<void> {
    const key = this.#ports.book.free(where);
    if (key !== undefined) await work(key);
  }

  async #watchAt(
    presenter: Presenter,
    key: BookKey,
    watch: { readonly ackAtMs: number; readonly isOver: boolean },
  ): Promise<void> {
    const watchMs = this.#ports.watchMs(key.keyspace);
    let refusals = 0;
    while (!watch.isOver && refusals < refusalsEnough && performance.now() - watch.ackAtMs < watchMs) {
      const said = await presenter.present(key, key.secrets.length);
      refusals = said?.code === 'revoked' ? refusals + 1 : 0;
      if (this.#stopped && said?.outcome !== 'ok') return;
      await new Promise((resolve) =>
        setTimeout(resolve, key.keyspace === keyspaces.strict.name ? watchPauseMs : watchPauseLongMs),
      );
    }
  }

  #track(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}

const livesLong = (key: BookKey): boolean => key.expiresAtMs - Date.now() > 60_000;
const isActive = (key: BookKey): boolean => key.life === 'active' && livesLong(key);
const isSuspended = (key: BookKey): boolean => key.life === 'suspended';
const isRotatable = (key: BookKey): boolean => isActive(key) && key.secrets.length < 3;
const isRotating = (key: BookKey): boolean => isActive(key) && key.secrets.length > 1;
/** Most revocations are of keys that verifiers have been accepting. */
const isRevocable = (key: BookKey): boolean => isActive(key);
