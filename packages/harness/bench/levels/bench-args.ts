import { parseArgs } from 'node:util';
import { numberOption, type Range, wholeOption } from '../../command-line/number-option.ts';
import { type Schedule, schedules } from './arrivals.ts';
import { BenchError } from './bench-error.ts';
import { type StoreName, storeNames } from './target.ts';
import { type MixName, mixNames } from './workload.ts';

/* What the bench may be told, and what each has to look like. */

export interface BenchOptions {
  /** A server that runs already; undefined: servers of its own. */
  readonly url: string | undefined;
  readonly stores: readonly StoreName[];
  /** Counts of workers; more than one only on PostgreSQL. */
  readonly workers: readonly number[];
  readonly mixes: readonly MixName[];
  /** Percent of the measured capacity, ascending. */
  readonly levels: readonly number[];
  readonly burst: boolean;
  /** After the burst, in which recovery is looked for. */
  readonly burstAfterSeconds: number;
  readonly seconds: number;
  readonly probeSeconds: number;
  readonly probesMax: number;
  readonly closedConnections: readonly number[];
  readonly connections: number;
  readonly generators: number;
  readonly schedule: Schedule;
  readonly keys: number;
  /** Part of the verifications whose keys have to be refused. */
  readonly badShare: number;
  readonly seed: number;
  readonly out: string | undefined;
  readonly html: string | undefined;
  readonly markdown: string | undefined;
}

export type BenchCommand =
  | { readonly kind: 'run'; readonly options: BenchOptions }
  | { readonly kind: 'compare'; readonly before: string; readonly after: string }
  | { readonly kind: 'help' };

export const benchUsage = `keyswarm bench [options]                     measure servers of its own, or the one at --url
keyswarm bench compare BEFORE.json AFTER.json

  --quick                less than a minute, for a first look: the embedded store, few levels, short
  --url URL              a server that runs already (KEYSWARM_KEY: its management key); its keys are revoked afterwards
  --store LIST           embedded,postgres
  --workers LIST         1,2: processes of the server; more than one on postgres only
  --mix LIST             ${mixNames.join(',')}
  --levels LIST          10,25,50,75,90,100,110,150,200: percent of the measured capacity
  --no-burst             leave out the burst of ten times the capacity
  --seconds N            each level (10)
  --probe-seconds N      each step of the search for the capacity (3)
  --connections N        of all generators together (1536)
  --generators N         processes that make the load (2)
  --schedule NAME        poisson or constant
  --keys N               valid keys that are verified (5000)
  --bad-percent N        verifications of forged, expired, revoked and malformed keys (3)
  --seed N               of arrivals and popularity
  --out FILE.json  --html FILE.html  --markdown FILE.md: the section of a page`;

const normal = {
  stores: 'embedded,postgres',
  workers: '1,2',
  mixes: mixNames.join(','),
  levels: '10,25,50,75,90,100,110,150,200',
  seconds: '10',
  probeSeconds: '3',
  burstAfterSeconds: 5,
  probesMax: 9,
  keys: '5000',
  closedConnections: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
};
const quick = {
  stores: 'embedded',
  workers: '1',
  mixes: 'verify,issue',
  levels: '50,100,200',
  seconds: '1.5',
  probeSeconds: '0.7',
  burstAfterSeconds: 2,
  probesMax: 4,
  keys: '1000',
  closedConnections: [1, 4, 16, 64, 256],
};

export function readBenchArgs(args: readonly string[]): BenchCommand {
  const [first, ...rest] = args;
  if (first === 'compare') {
    const [before, after, ...more] = rest;
    if (before === undefined || after === undefined || more.length > 0) {
      throw new BenchError('bench compare: expected two files that --out wrote');
    }
    return { kind: 'compare', before, after };
  }
  const values = parse(args);
  if (values.help === true) return { kind: 'help' };
  const set = values.quick === true ? quick : normal;
  const url = values.url;
  if (url !== undefined && (values.store ?? values.workers) !== undefined) {
    throw new BenchError('--url: the store and the workers of a server that runs already are its own');
  }
  const options: BenchOptions = {
    url,
    stores: oneOfEach('--store', values.store ?? set.stores, storeNames),
    workers: wholes('--workers', values.workers ?? set.workers, { min: 1, max: 64 }),
    mixes: oneOfEach('--mix', values.mix ?? set.mixes, mixNames),
    levels: wholes('--levels', values.levels ?? set.levels, { min: 1, max: 1000 }).sort((a, b) => a - b),
    burst: values['no-burst'] !== true,
    burstAfterSeconds: set.burstAfterSeconds,
    seconds: number('--seconds', values.seconds ?? set.seconds, { min: 0.5, max: 3600 }),
    probeSeconds: number('--probe-seconds', values['probe-seconds'] ?? set.probeSeconds, {
      min: 0.3,
      max: 600,
    }),
    probesMax: set.probesMax,
    closedConnections: set.closedConnections,
    connections: whole('--connections', values.connections ?? '1536', { min: 1, max: 16_384 }),
    generators: whole('--generators', values.generators ?? '2', { min: 1, max: 64 }),
    schedule: oneOf('--schedule', values.schedule ?? 'poisson', schedules),
    keys: whole('--keys', values.keys ?? set.keys, { min: 10, max: 1_000_000 }),
    badShare: number('--bad-percent', values['bad-percent'] ?? '3', { min: 0, max: 100 }) / 100,
    seed: whole('--seed', values.seed ?? '1', { min: 0, max: 2 ** 32 - 1 }),
    out: values.out,
    html: values.html,
    markdown: values.markdown,
  };
  if (options.connections < options.generators) {
    throw new BenchError('--connections: expected at least one for each generator');
  }
  return { kind: 'run', options };
}

/** As it is told in a report: without where that was written to, which is a matter of the machine. No secret is ever an argument. */
export function commandText(args: readonly string[]): string {
  const isPlace = (arg: string) => /^--(out|html|markdown)(=|$)/.test(arg);
  const takesNext = (arg = '') => isPlace(arg) && !arg.includes('=');
  const told = args.filter((arg, at) => !isPlace(arg) && !takesNext(args[at - 1]));
  return ['npm run bench --', ...told].join(' ');
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: flag,
        help: flag,
        'no-burst': flag,
        url: text,
        store: text,
        workers: text,
        mix: text,
        levels: text,
        seconds: text,
        'probe-seconds': text,
        connections: text,
        generators: text,
        schedule: text,
        keys: text,
        'bad-percent': text,
        seed: text,
        out: text,
        html: text,
        markdown: text,
      },
    }).values;
  } catch (error) {
    throw new BenchError(error instanceof Error ? error.message : String(error));
  }
}

function number(name: string, text: string, range: Range): number {
  return numberOption(name, text, range, BenchError);
}

function whole(name: string, text: string, range: Range): number {
  return wholeOption(name, text, range, BenchError);
}

function wholes(name: string, text: string, range: Range): number[] {
  return [...new Set(text.split(',').map((part) => whole(name, part, range)))];
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((each) => each === text.trim());
  if (found !== undefined) return found;
  throw new BenchError(`${name}: expected ${known.join(', ')}, got ${JSON.stringify(text)}`);
}

function oneOfEach<T extends string>(name: string, text: string, known: readonly T[]): readonly T[] {
  return [...new Set(text.split(',').map((part) => oneOf(name, part, known)))];
}
