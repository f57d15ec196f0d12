import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { checkServer, type Finding, type FindingState } from '../doctor/check-server.ts';
import { checkSettings } from '../doctor/check-settings.ts';
import { emit } from '../io/emit.ts';
import { printable } from '../io/table.ts';
import type { Tone } from '../io/terminal.ts';
import type { RunAction } from '../runner.ts';

const exitFaultFound = 1;

const tones: Readonly<Record<FindingState, Tone>> = { ok: 'green', warning: 'yellow', fault: 'red' };

export function addDoctorCommand(program: Command, action: RunAction): void {
  program
    .command('doctor')
    .description(
      'check the server, the clock, the management key if there is one, and the settings; exit code 1 on a fault',
    )
    .action(
      action(async (context) => {
        const findings = [...(await checkServer(context)), ...(await checkSettings())];
        await emit(context, { findings }, () => formatFindings(findings, context));
        return findings.some(({ state }) => state === 'fault') ? exitFaultFound : 0;
      }),
    );
}

function formatFindings(findings: readonly Finding[], { terminal }: Context): string {
  const nameWidth = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, state, detail, remedy }) => {
      const line = `${terminal.tone(tones[state], state.padEnd(7))}  ${check.padEnd(nameWidth)}  ${printable(detail)}`;
      return remedy === undefined ? line : `${line}\n${' '.repeat(nameWidth + 11)}${printable(remedy)}`;
    })
    .join('\n');
}
