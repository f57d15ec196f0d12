import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { InputError } from '../input-error.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

export interface ChildTerms {
  readonly command: string;
  readonly args: readonly string[];
  /** How long it may take to end when it is told to; then it is killed. */
  readonly stopMs: number;
}

/**
 * The process whose environment is kept current: the environment of a process can't be changed from outside, so it is
 * ended and started again. It ends for good when it ends by itself, or when this process is told to end.
 */
export class Child {
  /** Its exit code, once it has ended and is not to be started again. */
  readonly ended: Promise<number>;
  readonly #terms: ChildTerms;
  readonly #settle: (code: number) => void;
  readonly #fail: (error: unknown) => void;
  #process: ChildProcess | undefined;
  /** Set while it is being ended to be started again: with what. */
  #next: Variables | undefined;
  #isEnding = false;

  constructor(terms: ChildTerms) {
    this.#terms = terms;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#settle = resolve;
    this.#fail = reject;
  }

  start(variables: Variables): void {
    const { command, args } = this.#terms;
    const child = spawn(command, [...args], { stdio: 'inherit', env: variables });
    this.#process = child;
    child.once('error', (error: NodeJS.ErrnoException) => {
      this.#fail(new InputError('--run', `${command} can not be started (${error.code})`, 'a command'));
    });
    child.once('exit', (code, signal) => this.#exited(code, signal));
  }

  /** Ends it and starts it with these. Asked again meanwhile, the latest count. */
  restart(variables: Variables): void {
    const isUnderWay = this.#next !== undefined;
    this.#next = variables;
    if (!isUnderWay && !this.#isEnding) this.#stop();
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Ends it for good, by the signal that this process was told to end with. */
  end(name: NodeJS.Signals): void {
    this.#isEnding = true;
    this.#stop(name);
  }

  #stop(name: NodeJS.Signals = 'SIGTERM'): void {
    const child = this.#process;
    if (child === undefined) return;
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#terms.stopMs);
    child.once('exit', () => clearTimeout(timer));
    child.kill(name);
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    this.#process = undefined;
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined && !this.#isEnding) this.start(next);
    else this.#settle(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  }
}
