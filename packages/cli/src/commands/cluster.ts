import type { Command } from 'commander';
import type { RunAction } from '../runner.ts';
import { addHeldCommand } from './run-harness.ts';

export function addClusterCommand(program: Command, action: RunAction): void {
  addHeldCommand(program, action, {
    name: 'cluster',
    entry: '@keyswarm/harness/cluster-up',
    description:
      'start a whole deployment on this machine, to try faults on: a database with a standby, servers, a relay, verifiers, brokers and a balancer; Ctrl-C ends and removes it',
    usage: 'up [--short] [--dir DIR] [--ports FROM] [--keys N]',
  });
}
