import { parseArgs } from 'node:util';
import { numberOption, wholeOption } from '../../command-line/number-option.ts';
import { ChaosError } from '../chaos-error.ts';
import { regressions } from '../regressions.ts';
import type { Scenario } from './scenario.ts';

/* What a run may be told, and what each has to look like. */

export interface ChaosOptions {
  readonly scenarios: readonly Scenario[];
  readonly seed: number;
  readonly isShort: boolean;
  /** Of the usual length. */
  readonly length: number;
  readonly out: string | undefined;
  /** With what a run before left in the same folder. */
  readonly isAppended: boolean;
  readonly markdown: string | undefined;
  readonly planted: string | undefined;
  /** True: its standard input is a pipe to whoever started it, and it ends with them. */
  readonly endsWithParent: boolean;
  /** Seeds of scenarios that have one of their own. */
  readonly seedOf: ReadonlyMap<string, number>;
}

export type ChaosCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | { readonly kind: 'run'; readonly options: ChaosOptions };

export const chaosUsage = `keyswarm chaos [options]       break it on purpose, and check every promise on what was seen

  --scenario NAME     one of them; may be repeated. All of them when absent
  --list              what there is
  --seed N            of the load and the schedule of faults (drawn and told when absent)
  --minutes M         about how long each scenario shall go on (1); faults are repeated
  --short             a few faults each, some seconds a scenario
  --out DIR           history, logs, report.json and report.html (chaos-report when absent)
  --append            keeps what a run before left in DIR of other scenarios: one report of several runs
  --markdown FILE.md  writes the table of the run into that page
  --regressions       what was found before, with the seeds that found it
  --planted NAME      with a bug planted in what is started: the run has to fail

Exit codes: 0 every promise held, 1 one was broken or a run has shown nothing, 2 what was asked for makes no sense.`;

const minutesMax = 24 * 60;

export function readChaosArgs(args: readonly string[], known: readonly Scenario[]): ChaosCommand {
  const values = parse(args);
  if (values.help === true) return { kind: 'help' };
  if (values.list === true) return { kind: 'list' };
  const seedOf = new Map(
    values.regressions === true
      ? regressions.map(({ scenario, seed: found }) => [scenario, found] as const)
      : [],
  );
  const names = values.scenario ?? (seedOf.size > 0 ? [...seedOf.keys()] : known.map(({ name }) => name));
  const minutes = numberOption('--minutes', values.minutes ?? '1', { min: 0.1, max: minutesMax }, ChaosError);
  const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 32));
  return {
    kind: 'run',
    options: {
      scenarios: names.map((name) => findScenario(name, known)),
      seed: wholeOption('--seed', seed, { min: 0, max: 2 ** 32 - 1 }, ChaosError),
      isShort: values.short === true,
      length: minutes,
      out: values.out,
      isAppended: values.append === true,
      markdown: values.markdown,
      planted: values.planted,
      seedOf,
      endsWithParent: values['ends-with-parent'] === true,
    },
  };
}

function findScenario(name: string, known: readonly Scenario[]): Scenario {
  const found = known.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const list = known.map((scenario) => scenario.name).join(', ');
  throw new ChaosError(`--scenario: there is no ${JSON.stringify(name)}; there are ${list}`);
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: flag,
        list: flag,
        short: flag,
        append: flag,
        scenario: { type: 'string', multiple: true },
        seed: text,
        minutes: text,
        out: text,
        markdown: text,
        planted: text,
        regressions: flag,
        'ends-with-parent': flag,
      },
    }).values;
  } catch (error) {
    throw new ChaosError(error instanceof Error ? error.message : String(error));
  }
}
