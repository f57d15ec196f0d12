import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { IssuedKey } from '../acceptance/api.ts';

export interface ToHolders {
  readonly url: string;
  readonly managementKey: string;
  readonly keyspace: string;
  readonly keys: readonly IssuedKey[];
  readonly atOnce: number;
}

export type FromHolders =
  | { readonly kind: 'stored'; readonly at: number; readonly secret: string }
  | { readonly kind: 'renewed'; readonly ms: number }
  | { readonly kind: 'problem'; readonly text: string }
  | { readonly kind: 'done' };

/** What the holders' process tells, kept where the load looks for the secrets that it presents. */
export class RemoteHolders {
  /** The newest stored secret of each key, in the order of the keys. */
  readonly secrets: string[];
  readonly renewedMs: number[] = [];
  readonly problems: string[] = [];
  readonly #options: ToHolders;
  #child: ChildProcess | undefined;

  constructor(options: ToHolders) {
    this.#options = options;
    this.secrets = options.keys.map(({ secret }) => secret);
  }

  get renewed(): number {
    return this.renewedMs.length;
  }

  /** Resolves when every key was renewed once; rejects when the process ends before. */
  async run(): Promise<void> {
    const child = fork(fileURLToPath(new URL('./holders-process.ts', import.meta.url)));
    this.#child = child;
    child.send(this.#options);
    const done = new Promise<void>((resolve) => {
      child.on('message', (message: FromHolders) => {
        if (message.kind === 'stored') this.secrets[message.at] = message.secret;
        else if (message.kind === 'renewed') this.renewedMs.push(message.ms);
        else if (message.kind === 'problem') this.problems.push(message.text);
        else resolve();
      });
    });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the holders' process ended with ${code}`);
    });
    await Promise.race([done, ended]);
    ended.catch(() => {});
    child.disconnect();
  }

  stop(): void {
    this.#child?.kill();
  }
}
