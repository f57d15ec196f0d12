import type { VerdictBulk, VerdictView } from '@keyswarm/contract';
import type { Command } from 'commander';
import { sinkToTerminal } from '../bulk/record-sink.ts';
import { isRefused, runBulk } from '../bulk/run-bulk.ts';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { emit } from '../io/emit.ts';
import { count } from '../io/progress.ts';
import { readLines, readSecret } from '../io/read-secret.ts';
import { formatFields, formatTable } from '../io/table.ts';
import type { Input } from '../io/terminal.ts';
import { parseKeyLine } from '../parse/key-line.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { collect } from './list-options.ts';

interface VerifyOptions {
  readonly keyspace?: string;
  readonly scope?: readonly string[];
  readonly minSeq?: string;
  readonly fromEnv?: string;
  readonly fromFile?: string;
  readonly keysFile?: string;
}

/** A verdict that is not `valid` is an answer, not an error: its exit code is that of a question answered "no". */
const exitNotValid = 1;

export function addKeyVerifyCommand(key: Command, action: RunAction): void {
  key
    .command('verify')
    .description('ask whether a key is valid; exit code 0 if it is, 1 if it is not')
    .argument('[key]', '- reads stdin; without it, asks, or reads stdin when that is no terminal')
    .option('--from-file <path>', 'read the key from the first line of a file')
    .option('--from-env <name>', 'read the key from a variable')
    .option('--keyspace <keyspace>', 'the keyspace it must belong to')
    .option('--scope <scope>', 'a scope it must cover; may be repeated', collect)
    .option('--min-seq <seq>', 'the `seq` of a change that the answer must know of')
    .option(
      '--keys-file <path>',
      'verify every line of a file (- for stdin): keys, or what `key issue --json` prints',
    )
    .action(
      action<VerifyOptions>(async (context, options, { all }) => {
        const required = {
          ...given('keyspace', options.keyspace),
          ...given('scopes', options.scope === undefined ? undefined : [...options.scope]),
          ...given('min_seq', options.minSeq),
        };
        if (options.keysFile !== undefined) {
          const single = all[0] ?? options.fromEnv ?? options.fromFile;
          if (single !== undefined)
            throw new InputError('--keys-file', 'one key is given as well', 'either of them');
          return verifyFile(context, options.keysFile, required);
        }
        const source = { argument: all[0], file: options.fromFile, variable: options.fromEnv };
        const secret = await readSecret(source, context);
        const verdict = await context.client().keys.verify({ key: secret.reveal(), ...required });
        await emit(context, verdict, formatVerdict);
        return verdict.valid ? 0 : exitNotValid;
      }),
    );
}

type Required = { readonly keyspace?: string; readonly scopes?: string[]; readonly min_seq?: string };
type Line = { readonly number: number; readonly key: string };

/** Under `--json` one verdict a line, with the line's number in place of the key; else how often each came. */
async function verifyFile(context: Context, path: string, required: Required): Promise<number> {
  const client = context.client();
  const tally = new Map<string, number>();
  const exitCode = await runBulk<Line, VerdictBulk['results'][number]>(context, {
    verb: 'verified',
    items: keysOf(path, context.stdin),
    total: undefined,
    sink: sinkToTerminal(context, String),
    send: (lines) => client.keys.verifyBulk(lines.map(({ key }) => ({ key, ...required }))),
    record: (result, { number }) => {
      const code = isRefused(result) ? result.error.code : (result as VerdictView).code;
      tally.set(code, (tally.get(code) ?? 0) + 1);
      return context.json ? { line: number, ...result } : undefined;
    },
  });
  if (!context.json) {
    const rows = [...tally].map(([code, times]) => [code, count(times)]);
    await context.terminal.print(formatTable(['VERDICT', 'KEYS'], rows));
  }
  const allValid = [...tally.keys()].every((code) => code === 'valid');
  return exitCode === 0 && !allValid ? exitNotValid : exitCode;
}

async function* keysOf(path: string, stdin: Input): AsyncGenerator<Line> {
  for await (const { number, text } of readLines(path, '--keys-file', stdin)) {
    yield { number, key: parseKeyLine(text, number) };
  }
}

function formatVerdict(verdict: VerdictView): string {
  if (!verdict.valid) return formatFields({ verdict: verdict.code });
  return formatFields({
    verdict: verdict.code,
    key: verdict.key_id,
    version: verdict.version,
    owner: `${verdict.owner.kind}:${verdict.owner.external_id}`,
    keyspace: verdict.keyspace,
    scopes: verdict.scopes.join(' '),
    expires: verdict.expires_at,
    rotation: verdict.rotation ? `this version works until ${verdict.rotation.retires_at}` : undefined,
    ...(verdict.renew_after === undefined ? {} : { 'renew after': verdict.renew_after }),
  });
}
