import type { Life } from '../history/operation.ts';
import { searchStepsMax } from '../limits.ts';

/*
 * Is there an order of these operations on one key that explains what was said? After Wing and Gong ("Testing and verifying
 * concurrent objects", 1993): an operation may come next if no other that has not come yet was over before it began. What is unknown
 * may come at any time after it began, or never. Sets of operations that were tried with a state are remembered (after Lowe,
 * "Testing for linearizability", 2017), and the search is bounded.
 */

export interface KeyState {
  readonly life: Life | 'absent';
  readonly versions: number;
}

export interface Step {
  readonly invokedMs: number;
  /** Infinity: unknown. */
  readonly settledMs: number;
  /** False: it may never have happened. */
  readonly mustHappen: boolean;
  /** The state after it; undefined: it can't have happened in this state. */
  readonly apply: (state: KeyState) => KeyState | undefined;
}

export type SearchResult = 'explained' | 'impossible' | 'undecided';

export function searchOrder(steps: readonly Step[]): SearchResult {
  const tried = new Set<string>();
  let left = searchStepsMax;
  const stack: { readonly done: bigint; readonly state: KeyState }[] = [
    { done: 0n, state: { life: 'absent', versions: 0 } },
  ];
  while (stack.length > 0) {
    const at = stack.pop();
    if (at === undefined) break;
    left -= 1;
    if (left < 0) return 'undecided';
    if (steps.every((step, index) => !step.mustHappen || isDone(at.done, index))) return 'explained';
    for (const [index, step] of steps.entries()) {
      if (isDone(at.done, index) || !mayComeNext(steps, at.done, step)) continue;
      const state = step.apply(at.state);
      if (state === undefined) continue;
      const done = at.done | (1n << BigInt(index));
      const name = `${done} ${state.life} ${state.versions}`;
      if (tried.has(name)) continue;
      tried.add(name);
      stack.push({ done, state });
    }
  }
  return 'impossible';
}

function mayComeNext(steps: readonly Step[], done: bigint, step: Step): boolean {
  return steps.every(
    (other, index) => isDone(done, index) || !other.mustHappen || other.settledMs >= step.invokedMs,
  );
}

function isDone(done: bigint, index: number): boolean {
  return (done & (1n << BigInt(index))) !== 0n;
}
