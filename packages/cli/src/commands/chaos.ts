import type { Command } from 'commander';
import type { RunAction } from '../runner.ts';
import { addHeldCommand } from './run-harness.ts';

/** The harness breaks a Keyswarm of its own: of a server that runs here it touches nothing. */
export function addChaosCommand(program: Command, action: RunAction): void {
  addHeldCommand(program, action, {
    name: 'chaos',
    entry: '@keyswarm/harness/chaos',
    description:
      'break a cluster of its own on purpose, and check every promise on what was seen; --list, --help',
    usage: '[--scenario NAME]… [--seed N] [--minutes M] [--short] [--out DIR] [--markdown FILE.md]',
  });
}
