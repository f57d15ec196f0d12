import type { Command } from 'commander';
import { emit } from '../io/emit.ts';
import { parseServerFlags } from '../parse/server-flags.ts';
import type { RunAction } from '../runner.ts';
import { takesServerFlags } from './start.ts';

/* Reads what a server started here would read; asks no server. */

export function addConfigCommands(config: Command, action: RunAction): void {
  takesServerFlags(config.command('print'))
    .description('print every setting as a server started here would have it, and where it comes from')
    .action(
      action(async (context, _options, { command }) => {
        const { loadProcessConfig, printConfig, settingNames, settings, flagOf } = await import(
          '@keyswarm/server/start'
        );
        const loaded = loadProcessConfig(parseServerFlags(command.args));
        const shown = settingNames.map((name) => {
          const isHidden = settings[name]['x-secret'] === true && loaded.config[name] !== null;
          return [
            nameOf(flagOf(name)),
            { value: isHidden ? '[secret]' : loaded.config[name], source: loaded.sources[name] },
          ];
        });
        await emit(context, Object.fromEntries(shown), () => printConfig(loaded).trimEnd());
        for (const shout of loaded.shouts) context.terminal.warn(shout);
        return 0;
      }),
    );

  config
    .command('explain')
    .description('list every setting: its names, what it accepts and its default')
    .action(
      action(async (context) => {
        const { explainConfig, settingNames, settings, flagOf } = await import('@keyswarm/server/start');
        const explained = settingNames.map((name) => {
          const { description, 'x-expected': accepts, 'x-default': byProfile } = settings[name];
          return [nameOf(flagOf(name)), { description, flag: flagOf(name), accepts, default: byProfile }];
        });
        await emit(context, Object.fromEntries(explained), () => explainConfig().trimEnd());
        return 0;
      }),
    );
}

/** `--data-dir` → `data_dir`, as in the file. */
const nameOf = (flag: string): string => flag.slice(2).replaceAll('-', '_');
