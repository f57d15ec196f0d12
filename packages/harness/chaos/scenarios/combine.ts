import type { Scenario } from '../run/scenario.ts';

export interface Combination {
  readonly name: string;
  readonly about: string;
  readonly parts: readonly Scenario[];
}

/** Several scenarios on one stage, one after the other: for those that wish for nothing that others could not bear. */
export function combine({ name, about, parts }: Combination): Scenario {
  return {
    name,
    about,
    stage: Object.assign({}, ...parts.map(({ stage }) => stage ?? {})),
    sometimes: parts.flatMap(({ sometimes }) => sometimes),
    async play(run) {
      for (const part of parts) await part.play(run);
    },
  };
}
