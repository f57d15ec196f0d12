import type { Command } from 'commander';
import { type Context, type GlobalOptions, openContext, type Surroundings } from './context.ts';
import { refuseSecretAsId } from './parse/secret-as-id.ts';

/** What a command does. Returns the exit code if it isn't 0. */
export type Action<Options> = (
  context: Context,
  options: Options,
  args: ActionArguments,
) => Promise<number | undefined>;

/** Wraps an action for commander, which calls with the arguments, the options and the command. */
export type RunAction = <Options>(action: Action<Options>) => (...all: unknown[]) => Promise<void>;

export interface ActionArguments {
  /** The first argument; empty if it is absent. */
  readonly first: string;
  /** Every argument, those of a variadic one included. */
  readonly all: readonly string[];
  readonly command: Command;
}

export interface RunHooks {
  /** The command whose action begins now. */
  readonly begins: (command: Command) => void;
  readonly ends: (exitCode: number) => void;
}

export function runnerFor(surroundings: Surroundings, { begins, ends }: RunHooks): RunAction {
  return <Options>(action: Action<Options>) =>
    async (...all: unknown[]) => {
      const command = all.at(-1) as Command;
      begins(command);
      refuseSecretAsId(command);
      const texts = all
        .slice(0, -2)
        .flat()
        .filter((each) => typeof each === 'string');
      const context = openContext(command.optsWithGlobals<GlobalOptions>(), surroundings);
      const args = { first: texts[0] ?? '', all: texts, command };
      ends((await action(context, command.opts() as Options, args)) ?? 0);
    };
}
