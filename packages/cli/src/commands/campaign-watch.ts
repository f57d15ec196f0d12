import type { CampaignReply } from '@keyswarm/contract';
import type { Context } from '../context.ts';
import { interruptible } from '../io/interrupt.ts';
import { formatProgress } from '../io/progress.ts';

const lookEveryMs = 500;

/**
 * Shows a bar on stderr until the campaign has ended, or until Ctrl-C: one that is paused may go on. The campaign as it
 * was seen last.
 */
export async function watchCampaign(context: Context, id: string): Promise<CampaignReply> {
  const client = context.client();
  const startedMs = context.nowMs();
  return await interruptible(async (signal) => {
    let first: number | undefined;
    for (;;) {
      const campaign = await client.campaigns.get(id);
      const done = doneOf(campaign);
      first ??= done.done;
      // The rate is of what was seen done, not of what had been done before anybody watched.
      const elapsedMs = ((context.nowMs() - startedMs) * done.done) / Math.max(1, done.done - first);
      context.terminal.rewrite(`${formatProgress(done.label, { ...done, elapsedMs })}${noteOf(campaign)}`);
      if (hasEnded(campaign) || signal.aborted) return campaign;
      await pause(lookEveryMs, signal);
    }
  });
}

export function hasEnded({ state }: Pick<CampaignReply, 'state'>): boolean {
  return state === 'finished' || state === 'aborted';
}

/** What is counted in this phase: keys that are taken, and then holders that have renewed. */
export function doneOf({ phase, kind, progress }: CampaignReply) {
  const { selected, selected_exact, taken, skipped, renewed, open } = progress;
  if (phase === 'select') {
    const total = selected_exact ? Math.max(selected, taken + skipped) : undefined;
    return { label: kind === 'rotate' ? 'asked' : 'revoked', done: taken + skipped, total };
  }
  return { label: 'renewed', done: renewed, total: renewed + open };
}

export function noteOf({ id, state, paused_because, canary, pace }: CampaignReply): string {
  if (state === 'paused') {
    const why = paused_because === 'error_budget' ? ' (too many verifications failed)' : '';
    return `  paused${why}; keyswarm campaign resume ${id}`;
  }
  if (canary.hold_until !== null) return `  sample held until ${canary.hold_until.slice(11, 19)}`;
  if (pace.throttled_by === null) return '';
  return `  slowed by ${pace.throttled_by.replaceAll('_', ' ')} to ${Math.round(pace.now)}/s`;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
