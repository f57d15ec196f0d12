import { leaseSteps, readsUnderWay } from './lease-steps.ts';
import { primarySteps, type Step } from './primary-steps.ts';
import { timeSteps } from './time-steps.ts';
import { breachOf, type PromiseName } from './verdict.ts';
import { verifierSteps } from './verifier-steps.ts';
import { firstWorld, type Protocol, textOfWorld, type World } from './world.ts';

/*
 * Every state that can be reached, breadth first, so that a counterexample is one of the shortest. A state is kept
 * as its text; the way to it as the state it was first reached from and the number of the step, and the labels are
 * found again by walking that way once more.
 */

export interface Breach {
  readonly what: string;
  readonly trace: readonly string[];
}

export interface Explored {
  readonly states: number;
  /** False: there were more states than `statesMax`. */
  readonly complete: boolean;
  readonly breach: Breach | undefined;
}

export interface ExploreOptions {
  readonly protocol: Protocol;
  readonly statesMax: number;
  /** Absent: all of them. */
  readonly only?: PromiseName | undefined;
  /** Asked of every state; a text is a breach. Absent: safety alone. */
  readonly also?: ((world: World) => string | undefined) | undefined;
}

export function explore({ protocol, statesMax, only, also }: ExploreOptions): Explored {
  const first = firstWorld(protocol.scenario);
  const seen = new Set([textOfWorld(first)]);
  const parents: number[] = [-1];
  const choices: number[] = [-1];
  let layer: { readonly index: number; readonly world: World }[] = [{ index: 0, world: first }];
  while (layer.length > 0) {
    const nextLayer: typeof layer = [];
    for (const { index, world } of layer) {
      const what = breachOf(protocol, world, only) ?? also?.(world);
      if (what !== undefined) {
        return {
          states: seen.size,
          complete: false,
          breach: { what, trace: retrace(protocol, parents, choices, index) },
        };
      }
      let choice = -1;
      for (const { world: reached } of stepsFrom(protocol, world)) {
        choice += 1;
        const text = textOfWorld(reached);
        if (seen.has(text)) continue;
        if (seen.size >= statesMax) return { states: seen.size, complete: false, breach: undefined };
        seen.add(text);
        nextLayer.push({ index: parents.length, world: reached });
        parents.push(index);
        choices.push(choice);
      }
    }
    layer = nextLayer;
  }
  return { states: seen.size, complete: true, breach: undefined };
}

export function* stepsFrom(protocol: Protocol, world: World): Generator<Step> {
  yield* primarySteps(protocol, world);
  for (const at of world.nodes.keys()) {
    yield* verifierSteps(protocol, world, at);
    yield* leaseSteps(protocol, world, at);
  }
  yield* readsUnderWay(protocol, world);
  yield* timeSteps(protocol, world);
}

function retrace(
  protocol: Protocol,
  parents: readonly number[],
  choices: readonly number[],
  end: number,
): string[] {
  const way: number[] = [];
  for (let at = end; at > 0; at = parents[at] ?? 0) way.unshift(choices[at] ?? 0);
  let world = firstWorld(protocol.scenario);
  return way.map((choice) => {
    const taken = [...stepsFrom(protocol, world)][choice];
    if (taken === undefined) throw new Error('a way that was walked once can be walked again');
    world = taken.world;
    return taken.label;
  });
}
