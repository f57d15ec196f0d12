import { campaignLookMs, campaignNoteMs } from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import type { CampaignDriver } from './campaign-driver.ts';

/** Between two steps while there is something to do: short against a chunk, long against an empty turn of the loop. */
const busyPauseMs = 20;

export interface RunningCampaigns {
  /** Finishes the step that is under way. */
  stop(): Promise<void>;
}

/** Steps for as long as the process lives. A step that fails is told of, and tried again a tick later. */
export function runCampaigns(options: {
  readonly driver: Pick<CampaignDriver, 'step' | 'isHolding'>;
  readonly timers: Timers;
  readonly onProblem: (error: unknown) => void;
}): RunningCampaigns {
  const { driver, timers, onProblem } = options;
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const isBusy = await driver.step().catch((error: unknown) => {
        onProblem(error);
        return false;
      });
      const pauseMs = isBusy ? busyPauseMs : driver.isHolding ? campaignNoteMs : campaignLookMs;
      await timers.sleep(pauseMs, stopping.signal).catch(() => undefined);
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
