import type { Api } from '../acceptance/api.ts';

/** When each key was asked, renewed and had its old version retired, Unix ms, as the events tell it. */
export interface RotationTimes {
  readonly askedToRenewedMs: readonly number[];
  readonly renewedToRetiredMs: readonly number[];
  readonly retired: number;
}

interface Told {
  askedMs?: number;
  renewedMs?: number;
  retiredMs?: number;
}

const members = {
  'dev.keyswarm.key.renew_requested': 'askedMs',
  'dev.keyswarm.key.rotated': 'renewedMs',
  'dev.keyswarm.key.retired': 'retiredMs',
} as const;

/** Follows the events, so that each look reads only what came since the one before. */
export class RotationTimesReader {
  readonly #api: Api;
  readonly #keys = new Map<string, Told>();
  #after = '';

  constructor(api: Api) {
    this.#api = api;
  }

  /** Of all events there are by now. */
  async read(): Promise<RotationTimes> {
    for (;;) {
      const types = 'key.renew_requested,key.rotated,key.retired';
      const { body } = await this.#api.call('GET', `/v1/events?types=${types}&limit=200${this.#after}`);
      const items = body.items as readonly { subject: string; type: keyof typeof members; time: string }[];
      for (const { subject, type, time } of items) {
        const told = this.#keys.get(subject) ?? {};
        told[members[type]] = Date.parse(time);
        this.#keys.set(subject, told);
      }
      const next = `&after=${String(body.next_cursor)}`;
      if (items.length === 0 && next === this.#after) return this.#times();
      this.#after = next;
    }
  }

  #times(): RotationTimes {
    const all = [...this.#keys.values()];
    const between = (from: keyof Told, to: keyof Told) =>
      all
        .map((told) => (told[to] ?? Number.NaN) - (told[from] ?? Number.NaN))
        .filter((ms) => !Number.isNaN(ms))
        .sort((a, b) => a - b);
    const renewedToRetiredMs = between('renewedMs', 'retiredMs');
    return {
      askedToRenewedMs: between('askedMs', 'renewedMs'),
      renewedToRetiredMs,
      retired: renewedToRetiredMs.length,
    };
  }
}
