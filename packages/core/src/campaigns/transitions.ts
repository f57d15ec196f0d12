import type { FaultCode } from '../errors/registry.ts';
import type { Transition } from '../lifecycle/transitions.ts';

/*
 * The life of a campaign as a total table, as that of a key is: whoever changes its state asks here first.
 *
 *   running    its keys are being worked through
 *   paused     an operator, or the error budget, holds it; what was done stays done
 *   finishing  all were asked; it waits for holders until the deadline, and then applies the policy
 *   finished   nothing is left to do
 *   aborted    given up; what was done stays done, and the deadline has no effect
 */

export const campaignStates = ['running', 'paused', 'finishing', 'finished', 'aborted'] as const;
export type CampaignState = (typeof campaignStates)[number];

/** What an operator asks for, and what follows from the work itself. */
export type CampaignCommand = 'pause' | 'resume' | 'abort';
export type CampaignStep = 'trip' | 'complete' | 'finish';
export type CampaignEvent = CampaignCommand | CampaignStep;

const to = (...states: CampaignState[]): Transition<CampaignState> => ({ to: states });
const refuse = (code: FaultCode): Transition<CampaignState> => ({ refuse: code });

export const campaignTransitions: Readonly<
  Record<CampaignState, Readonly<Record<CampaignEvent, Transition<CampaignState>>>>
> = {
  running: {
    pause: to('paused'),
    resume: refuse('not_paused'),
    abort: to('aborted'),
    trip: to('paused'),
    complete: to('finishing'),
    finish: to('finished'),
  },
  paused: {
    pause: refuse('already_paused'),
    // Where it was held: before all were asked, or after.
    resume: to('running', 'finishing'),
    abort: to('aborted'),
    trip: refuse('already_paused'),
    complete: refuse('already_paused'),
    finish: refuse('already_paused'),
  },
  finishing: {
    pause: to('paused'),
    resume: refuse('not_paused'),
    abort: to('aborted'),
    trip: to('paused'),
    complete: to('finishing'),
    finish: to('finished'),
  },
  finished: {
    pause: refuse('campaign_ended'),
    resume: refuse('campaign_ended'),
    abort: refuse('campaign_ended'),
    trip: refuse('campaign_ended'),
    complete: refuse('campaign_ended'),
    finish: refuse('campaign_ended'),
  },
  aborted: {
    pause: refuse('campaign_ended'),
    resume: refuse('campaign_ended'),
    abort: refuse('campaign_ended'),
    trip: refuse('campaign_ended'),
    complete: refuse('campaign_ended'),
    finish: refuse('campaign_ended'),
  },
};
