import type { Command } from 'commander';
import { markdownTable } from './markdown-table.ts';

/** The page of the command, from the same declarations that parse it. */
export function commandPage(program: Command): string {
  return `# The command

\`npx keyswarm …\` inside this repository (or \`node packages/cli/bin/keyswarm.mjs …\`). Results go to stdout and nothing
else does; progress, hints and errors go to stderr. Under \`--json\` stdout is one JSON document a line. Exit codes: 0
done; 1 a verdict that is not \`valid\`, or a finding of \`doctor\`; otherwise that of the [error](errors.md); 130
interrupted; 141 the reader of stdout went away.

## Everywhere

${optionsOf(program)}
${leavesOf(program)
  .map(({ path, command }) => sectionOf(path, command))
  .join('\n')}`;
}

interface Leaf {
  readonly path: string;
  readonly command: Command;
}

function leavesOf(command: Command, path = command.name()): readonly Leaf[] {
  return command.commands.flatMap((sub) => {
    const subPath = `${path} ${sub.name()}`;
    return sub.commands.length === 0 ? [{ path: subPath, command: sub }] : leavesOf(sub, subPath);
  });
}

function sectionOf(path: string, command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? ` <${name}>` : ` [${name}]`;
  });
  const args = command.registeredArguments.map((argument) => [
    `\`${argument.name()}\``,
    argument.description,
  ]);
  const argTable = args.length === 0 ? '' : `${markdownTable(['argument', ''], args)}\n`;
  const description = command.description();
  return `## ${path}${words.join('')}

${description.charAt(0).toUpperCase()}${description.slice(1)}.

${argTable}${optionsOf(command)}${notesOf(command)}`;
}

/** What `--help` says below the options, as it says it. */
function notesOf(command: Command): string {
  let shown = '';
  command.configureOutput({
    writeOut: (text) => {
      shown += text;
    },
  });
  command.outputHelp();
  const notes = shown.slice(command.helpInformation().length).trim();
  return notes === '' ? '' : `\n\`\`\`text\n${notes}\n\`\`\`\n`;
}

function optionsOf(command: Command): string {
  if (command.options.length === 0) return '';
  const rows = command.options.map((option) => {
    const notes = [option.mandatory ? 'required' : '', defaultText(option.defaultValue)].filter(Boolean);
    const note = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
    return [`\`${option.flags}\``, option.description + note];
  });
  return markdownTable(['option', ''], rows);
}

function defaultText(value: unknown): string {
  return typeof value === 'string' ? `default \`${value}\`` : '';
}
