import type { VerifierEntry } from '@keyswarm/contract';
import type { Command } from 'commander';
import { emit } from '../io/emit.ts';
import { formatTable } from '../io/table.ts';
import { formatDurationMs } from '../parse/duration.ts';
import type { RunAction } from '../runner.ts';

export function addVerifiersCommands(verifiers: Command, action: RunAction): void {
  verifiers
    .command('list')
    .description(
      'list the verifiers: who they are, whom they follow, how far they are and whether they may accept',
    )
    .action(
      action(async (context) => {
        const list = await context.client().verifiers.list();
        await emit(context, list, ({ items }) => formatTable(headings, items.map(rowOf)));
        const left = list.total - list.items.length;
        if (left > 0) context.terminal.say(`${left} more are not shown`);
        return 0;
      }),
    );
}

const headings = ['NAME', 'KIND', 'REGION', 'STATE', 'BEHIND', 'LEASE AGE', 'RELAY', 'ID'];

function rowOf(verifier: VerifierEntry): readonly string[] {
  const { name, kind, region, state, rows_behind: behind, lease_age_ms: ageMs, relay, id } = verifier;
  const age = ageMs === null ? '-' : formatDurationMs(Math.round(ageMs));
  return [name, kind, region ?? '-', state, behind === null ? '-' : String(behind), age, relay.name, id];
}
