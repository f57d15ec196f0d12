import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { IssuedKey } from '../acceptance/api.ts';

export interface HoldersSetup {
  readonly url: string;
  readonly keys: readonly IssuedKey[];
  readonly atOnce: number;
}

export type ToHolders =
  | ({ readonly kind: 'hold' } & HoldersSetup)
  | { readonly kind: 'asked'; readonly at: number; readonly renewAfter: string };

export type FromHolders =
  | { readonly kind: 'stored'; readonly at: number; readonly secret: string }
  | { readonly kind: 'renewed'; readonly ms: number }
  | { readonly kind: 'problem'; readonly text: string };

/** What the holders' process tells, kept where the load looks for the secrets that it presents. */
export class RemoteHolders {
  /** The newest stored secret of each key, in the order of the keys. */
  readonly secrets: string[];
  /** From asked to in use. */
  readonly renewedMs: number[] = [];
  /** What the SDK told of on the way to a renewal, such as a server that was too busy. */
  readonly problems: string[] = [];
  readonly #child: ChildProcess;
  readonly #asked = new Set<number>();
  readonly #all = Promise.withResolvers<void>();

  constructor(setup: HoldersSetup) {
    this.secrets = setup.keys.map(({ secret }) => secret);
    this.#child = fork(fileURLToPath(new URL('./holders-process.ts', import.meta.url)));
    this.#child.send({ kind: 'hold', ...setup } satisfies ToHolders);
    this.#child.on('message', (message: FromHolders) => {
      if (message.kind === 'stored') this.secrets[message.at] = message.secret;
      else if (message.kind === 'problem') this.problems.push(message.text);
      else this.#take(message.ms);
    });
    this.#child.once('exit', (code) =>
      this.#all.reject(new Error(`the holders' process ended with ${code}`)),
    );
    // Awaited at the end; what waits meanwhile asks for `broken`.
    this.#all.promise.catch(() => {});
  }

  get renewed(): number {
    return this.renewedMs.length;
  }

  /** Resolves when every key was renewed once; rejects when the process ends before. */
  get all(): Promise<void> {
    return this.#all.promise;
  }

  /** Tells a holder that a verdict asks it to renew. */
  hint(at: number, renewAfter: string): void {
    if (this.#asked.has(at)) return;
    this.#asked.add(at);
    this.#child.send({ kind: 'asked', at, renewAfter } satisfies ToHolders);
  }

  stop(): void {
    this.#child.kill();
  }

  #take(ms: number): void {
    this.renewedMs.push(ms);
    if (this.renewedMs.length === this.secrets.length) this.#all.resolve();
  }
}
