import { parseArgs } from 'node:util';
import type { ClusterOptions } from './cluster.ts';
import { ClusterError } from './cluster-error.ts';
import { keysMax } from './limits.ts';

export type ClusterCommand =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'up';
      readonly options: Pick<ClusterOptions, 'isShort' | 'dir' | 'portsFrom'>;
      readonly keys: number;
      readonly endsWithParent: boolean;
    };

export const clusterUsage = `keyswarm cluster up [--short] [--dir DIR] [--ports FROM] [--keys N]

Starts a whole deployment on this machine, each part a process of its own on 127.0.0.1, and stays in the foreground until
Ctrl-C; then all of it is ended and removed. PostgreSQL with a synchronous standby that takes over, two servers with two
workers each, a relay of a region, four verifiers, three NATS nodes with a leaf, HAProxy in front.

  --short        one server, two verifiers, PostgreSQL without a standby: nothing has to be installed for it
  --dir DIR      where the logs and the management key lie, and stay; a temporary folder when absent
  --ports FROM   the first of its ports, one after another; free ones when absent. NATS takes free ones
  --keys N       makes a keyspace \`orders\` with so many keys, their secrets in keys.ndjson beside the management key`;

export function readClusterArgs(args: readonly string[]): ClusterCommand {
  const { values, positionals } = parsed(args);
  if (values.help === true || positionals[0] === 'help') return { kind: 'help' };
  if (positionals.length !== 1 || positionals[0] !== 'up')
    throw new ClusterError(
      `expected \`cluster up\`, got \`cluster ${positionals.join(' ')}\`\n\n${clusterUsage}`,
    );
  const portsFrom = values.ports === undefined ? undefined : wholeOf('ports', values.ports, 1024, 65_000);
  return {
    kind: 'up',
    options: { isShort: values.short === true, dir: values.dir, portsFrom },
    keys: values.keys === undefined ? 0 : wholeOf('keys', values.keys, 0, keysMax),
    endsWithParent: values['ends-with-parent'] === true,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        short: { type: 'boolean' },
        dir: { type: 'string' },
        ports: { type: 'string' },
        keys: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        'ends-with-parent': { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new ClusterError(`${error instanceof Error ? error.message : String(error)}\n\n${clusterUsage}`);
  }
}

function wholeOf(name: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new ClusterError(
    `--${name}: expected a whole number from ${min} to ${max}, got ${text.slice(0, 40)}`,
  );
}
