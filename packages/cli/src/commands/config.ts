import type { SettingSchema } from '@keyswarm/server/start';
import type { Command } from 'commander';
import { emit } from '../io/emit.ts';
import { parseServerFlags, type ServerFlags } from '../parse/server-flags.ts';
import type { RunAction } from '../runner.ts';
import { takesServerFlags } from './start.ts';

/* Reads what a server, or a verify-only node, started here would read; asks nobody. */

interface ConfigOptions {
  readonly verifier?: true;
}

const ofVerifier = ['--verifier', 'the settings of a verify-only node, in place of a server'] as const;

export function addConfigCommands(config: Command, action: RunAction): void {
  takesServerFlags(config.command('print'))
    .option(...ofVerifier)
    .description('print every setting as a server started here would have it, and where it comes from')
    .action(
      action<ConfigOptions>(async (context, { verifier }, { command }) => {
        const flags = parseServerFlags(command.args);
        const { names, settings, values, sources, shouts, text } = await (verifier
          ? ofNode(flags)
          : ofServer(flags));
        const shown = names.map((name) => {
          const value = values[name] ?? null;
          const isHidden = settings[name]?.['x-secret'] === true && value !== null;
          return [fileNameOf(name), { value: isHidden ? '[secret]' : value, source: sources[name] }];
        });
        await emit(context, Object.fromEntries(shown), () => text.trimEnd());
        for (const shout of shouts) context.terminal.warn(shout);
        return 0;
      }),
    );

  config
    .command('explain')
    .option(...ofVerifier)
    .description('list every setting: its names, what it accepts and its default')
    .action(
      action<ConfigOptions>(async (context, { verifier }) => {
        const { names, settings, text } = await (verifier ? explainNode() : explainServer());
        const explained = names.map((name) => {
          const { description, 'x-expected': accepts, 'x-default': byProfile } = settings[name] ?? {};
          const flag = `--${fileNameOf(name).replaceAll('_', '-')}`;
          return [
            fileNameOf(name),
            { description, flag, accepts, default: verifier ? byProfile?.single : byProfile },
          ];
        });
        await emit(context, Object.fromEntries(explained), () => text.trimEnd());
        return 0;
      }),
    );
}

interface Explained {
  readonly names: readonly string[];
  readonly settings: Readonly<Record<string, SettingSchema>>;
  readonly text: string;
}

interface Printed extends Explained {
  readonly values: Readonly<Record<string, unknown>>;
  readonly sources: Readonly<Record<string, string>>;
  readonly shouts: readonly string[];
}

async function explainServer(): Promise<Explained> {
  const { explainConfig, settingNames, settings } = await import('@keyswarm/server/start');
  return { names: settingNames, settings, text: explainConfig() };
}

async function explainNode(): Promise<Explained> {
  const { explainNodeConfig, nodeSettings } = await import('@keyswarm/server/verifier');
  return { ...nodeSettings, text: explainNodeConfig() };
}

async function ofServer(flags: ServerFlags): Promise<Printed> {
  const { loadProcessConfig, printConfig } = await import('@keyswarm/server/start');
  const loaded = loadProcessConfig(flags);
  const { config: values, sources, shouts } = loaded;
  return { ...(await explainServer()), values, sources, shouts, text: printConfig(loaded) };
}

async function ofNode(flags: ServerFlags): Promise<Printed> {
  const { loadNodeProcessConfig, printNodeConfig } = await import('@keyswarm/server/verifier');
  const loaded = loadNodeProcessConfig(flags);
  const { config: values, sources, shouts } = loaded;
  return { ...(await explainNode()), values, sources, shouts, text: printNodeConfig(loaded) };
}

/** `dataDir` → `data_dir`, as in the file. */
function fileNameOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
