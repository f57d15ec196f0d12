import { workerGrownMs, workerPauseMsMax, workerPauseMsMin, workerYoungDeathsMax } from '../limits.ts';

/**
 * Whether, and after what pause, a worker that died is started again. A worker that died young, within
 * `workerGrownMs` of its start, waits twice as long as the time before; one that had lived longer is back at once.
 *
 * `workerYoungDeathsMax` deaths in a row so young are no accident. Then the whole gives up, so that whoever watches
 * over it sees an end and not a server that is busy with dying. But while another worker serves that has lived long
 * enough, giving up would turn a loss of capacity into an outage, so this one goes on trying.
 */
export class RestartPolicy {
  #youngDeaths = 0;

  /** `chance`: in [0, 1). Returns the pause in ms, or `give_up`. */
  died(death: {
    readonly livedMs: number;
    /** Another worker serves, and has for longer than `workerGrownMs`. */
    readonly hasElder: boolean;
    readonly chance: number;
  }): number | 'give_up' {
    const { livedMs, hasElder, chance } = death;
    this.#youngDeaths = livedMs < workerGrownMs ? this.#youngDeaths + 1 : 0;
    if (this.#youngDeaths >= workerYoungDeathsMax && !hasElder) return 'give_up';
    const doublings = Math.max(0, this.#youngDeaths - 1);
    const pauseMs = Math.min(workerPauseMsMax, workerPauseMsMin * 2 ** doublings);
    // Never under half of it: a pause of almost nothing would be none.
    return pauseMs * (0.5 + chance / 2);
  }
}
