import type { KeyHash, KeyImport, KeyImportedBulk } from '@keyswarm/contract';
import type { Command } from 'commander';
import { sinkToTerminal } from '../bulk/record-sink.ts';
import { isRefused, runBulk } from '../bulk/run-bulk.ts';
import { InputError } from '../input-error.ts';
import { readLines } from '../io/read-secret.ts';
import { printable } from '../io/table.ts';
import type { Input } from '../io/terminal.ts';
import { parseChoice } from '../parse/choice.ts';
import { importHelp, importRowReader } from '../parse/import-row.ts';
import type { RunAction } from '../runner.ts';
import { collect } from './list-options.ts';

interface ImportOptions {
  readonly file?: string;
  readonly format: string;
  readonly keyspace?: string;
  readonly owner?: string;
  readonly scope?: readonly string[];
  readonly ttl?: string;
}

const formats = ['sha256-hex', 'sha256-base64', 'prefixed-api-key'] as const;

export function addImportCommand(program: Command, action: RunAction): void {
  program
    .command('import')
    .description('import the keys of another system by their hashes; holders keep the strings they have')
    .argument('[file]', 'a .csv or .ndjson file, or - for JSON lines on stdin')
    .option('--file <path>', 'the same as an option')
    .option('--format <format>', `what the hashes are: ${formats.join(', ')}`, 'sha256-hex')
    .option('--keyspace <keyspace>', 'for lines that name none')
    .option('--owner <owner>', 'for lines that name none, such as service:billing')
    .option('--scope <scope>', 'for lines that name none; may be repeated', collect)
    .option('--ttl <duration>', 'for lines that name no ttl and no expires_at')
    .addHelpText('after', importHelp)
    .action(
      action<ImportOptions>(async (context, options, { all }) => {
        const path = pathOf(all[0], options.file);
        const client = context.client();
        const read = importRowReader(/\.csv$/i.test(path) ? 'csv' : 'ndjson', {
          format: parseChoice<KeyHash['format']>(options.format, formats, '--format'),
          keyspace: options.keyspace,
          owner: options.owner,
          scopes: options.scope,
          ttl: options.ttl,
        });
        return runBulk<Row, KeyImportedBulk['results'][number]>(context, {
          verb: 'imported',
          items: rowsOf(path, context.stdin, read),
          total: undefined,
          sink: sinkToTerminal(context, formatRefusal),
          send: (rows) => client.keys.import(rows.map(({ key }) => key)),
          // For people only what went wrong is worth a line each.
          record: (result, { number }) =>
            context.json || isRefused(result) ? { line: number, ...result } : undefined,
        });
      }),
    );
}

interface Row {
  readonly number: number;
  readonly key: KeyImport;
}

function pathOf(argument: string | undefined, option: string | undefined): string {
  if (argument !== undefined && option !== undefined)
    throw new InputError('--file', 'the file is given twice', 'either of them');
  const path = argument ?? option;
  if (path === undefined)
    throw new InputError('FILE', 'no file is given', 'a .csv or .ndjson file, or - for JSON lines on stdin');
  return path;
}

async function* rowsOf(
  path: string,
  stdin: Input,
  read: ReturnType<typeof importRowReader>,
): AsyncGenerator<Row> {
  for await (const line of readLines(path, '--file', stdin)) {
    const key = read(line);
    if (key !== undefined) yield { number: line.number, key };
  }
}

function formatRefusal(record: object): string {
  const { line, error } = record as { line: number; error: { code: string; detail: string } };
  return `line ${line}: ${error.code}: ${printable(error.detail)}`;
}
