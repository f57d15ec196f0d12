import type { DemoState } from '@keyswarm/contract';

/* Between the server's process and that of the swarm. */

export type ToSwarm =
  | { readonly kind: 'begin'; readonly url: string; readonly key: string }
  | { readonly kind: 'run' };

export type FromSwarm = { readonly kind: 'state'; readonly state: DemoState };

export const stepIds = ['issue', 'verify', 'revoke', 'rotate', 'cut', 'heal'] as const;
export type StepId = (typeof stepIds)[number];

export const stepTitles: Readonly<Record<StepId, string>> = {
  issue: 'Issue a swarm',
  verify: 'Verify, steadily',
  revoke: 'Revoke',
  rotate: 'Force a rotation',
  cut: 'Cut a verifier off',
  heal: 'Let it back',
};

export function idleState(): DemoState {
  return {
    state: 'idle',
    elapsed_ms: 0,
    steps: stepIds.map((id) => ({ id, title: stepTitles[id], state: 'waiting', detail: '' })),
  };
}
