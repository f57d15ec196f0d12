import type { DemoState, DemoStep } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { Badge, Problem, type Tone } from '../../parts/basics.tsx';
import { useAction } from '../../parts/use-action.ts';

const tones: Readonly<Record<DemoStep['state'], Tone>> = {
  waiting: 'idle',
  running: 'accent',
  done: 'ok',
  failed: 'danger',
};

/** What the demonstration does just now, what it has shown, and the button that runs it again. */
export function DemoPanel({ client, demo }: { readonly client: Client; readonly demo: DemoState | null }) {
  const { isBusy, problem, run } = useAction();
  if (demo === null) return null;
  const isRunning = demo.state === 'running';
  const current = demo.steps.findLast(
    ({ state }) => state === 'running' || state === 'done' || state === 'failed',
  );
  return (
    <section class="card demo" aria-label="Demonstration">
      <div class="card-head">
        <h2>Demonstration</h2>
        <div class="card-aside">
          <span class="muted num">{isRunning ? `${Math.round(demo.elapsed_ms / 1000)} s` : demo.state}</span>
          <button
            type="button"
            class="button small"
            disabled={isRunning || isBusy}
            onClick={() => void run(async () => void (await client.call('startDemo', { body: {} })))}
          >
            {isRunning ? 'Running …' : demo.state === 'idle' ? 'Run it' : 'Run it again'}
          </button>
        </div>
      </div>
      {problem !== undefined && <Problem text={problem} />}
      <ol class="steps">
        {demo.steps.map(({ id, title, state, detail }) => (
          <li key={id} class={`step ${state}`} aria-current={state === 'running' ? 'step' : undefined}>
            <span class="step-dot" aria-hidden="true" />
            <span class="step-title">{title}</span>
            <span class="visually-hidden">
              <Badge tone={tones[state]}>{state}</Badge>
            </span>
            {detail !== '' && <span class="step-detail">{detail}</span>}
          </li>
        ))}
      </ol>
      {current === undefined && (
        <p class="muted">A swarm of holders on this machine, in a store of its own.</p>
      )}
    </section>
  );
}
