import type { BookKey } from '../load/key-book.ts';
import { settlementOf } from '../load/read-reply.ts';
import type { Run } from '../run/scenario.ts';

/*
 * Who holds a key, and renews it by the key itself when asked to. Of a hundred, fifteen die after the answer has come and before it is
 * stored (they go on with the old one), and fifteen lose the connection and ask again with the same Idempotency-Key.
 */

export class Holder {
  readonly #run: Run;
  readonly #key: BookKey;
  readonly #draw: number;
  hasRenewed = false;
  hasCrashed = false;
  askedAgain = false;
  finishRefused = false;

  constructor(run: Run, key: BookKey) {
    this.#run = run;
    this.#key = key;
    this.#draw = run.random();
  }

  /** Asks now and then whether it should renew, and does; presents what it holds all the while. */
  async live(seconds: number): Promise<void> {
    const untilMs = performance.now() + seconds * 1000;
    while (performance.now() < untilMs && !this.hasRenewed) {
      await this.#present();
      await this.#run.seconds(0.5 + this.#run.random());
      await this.#renew().catch(() => undefined);
    }
    if (!this.hasRenewed || this.hasCrashed || this.#draw < 0.6) return;
    // Somebody is in a hurry: the old one is still in use, or the new one never was used.
    const done = await this.#run.clerk.finish(this.#key, false);
    this.finishRefused = !done;
  }

  /** What it holds has to work at every verifier, or be told to come again. */
  async expectWorks(): Promise<void> {
    const version = this.hasCrashed ? 1 : this.#key.secrets.length;
    for (const presenter of this.#run.workload.presenters) {
      const said = await presenter.present(this.#key, version);
      if (said?.outcome === 'ok' && said.code !== 'valid')
        this.#run.violate(`the holder of key ${this.#key.number} has no key that works: ${said.code}`);
    }
  }

  async #present(): Promise<void> {
    const { presenters } = this.#run.workload;
    const presenter = presenters[Math.floor(this.#run.random() * presenters.length)];
    await presenter?.present(this.#key, this.#key.secrets.length);
  }

  async #renew(): Promise<void> {
    const { stage, history } = this.#run;
    const idempotencyKey = `holder-${process.pid}-${this.#key.number}`;
    const server = stage.servers[Math.floor(this.#run.random() * stage.servers.length)];
    const id = history.invoke({
      kind: 'rotate',
      key: this.#key.number,
      keyspace: this.#key.keyspace,
      at: server?.name ?? '',
      idempotencyKey,
      graceMs: 0,
    });
    const losesReply = this.#draw > 0.15 && this.#draw < 0.3 && !this.askedAgain;
    try {
      const response = await fetch(`${server?.url}/v1/keys/self/renew`, {
        method: 'POST',
        signal: AbortSignal.timeout(10_000),
        headers: {
          authorization: `Bearer ${this.#key.secrets[0]}`,
          'content-type': 'application/json',
          'idempotency-key': idempotencyKey,
        },
        body: '{}',
      });
      const body = (await response.json()) as Readonly<Record<string, unknown>>;
      const settlement = settlementOf({ status: response.status, body });
      history.settle(id, settlement);
      if (settlement.outcome !== 'ok') return;
      this.#take(String(body.secret), String(body.seq), losesReply);
    } catch {
      history.settle(id, { outcome: 'unknown', status: 0, code: 'no_reply' });
    }
  }

  #take(secret: string, seq: string, losesReply: boolean): void {
    this.#run.hide(secret, this.#key);
    if (losesReply) {
      // As if it had not come: it asks again, and has to be given the same.
      this.askedAgain = true;
      return;
    }
    this.hasRenewed = true;
    this.hasCrashed = this.#draw < 0.15;
    if (this.hasCrashed) return;
    this.#key.secrets.push(secret);
    this.#key.lastSeq = seq;
  }
}
