import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../acceptance/server-process.ts';

const launcher = fileURLToPath(new URL('../../../cli/bin/keyswarm.mjs', import.meta.url));
const readyMsMax = 120_000;
const readyPollMs = 20;

export interface MemberOptions {
  readonly name: string;
  readonly command: 'start' | 'verifier';
  /** Without the port, which is the member's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it writes what it says; a restart goes on in it. */
  readonly logPath: string;
}

/** A server or a node in a process of its own, which keeps its name, its port and its log through restarts. */
export class Member {
  readonly name: string;
  readonly port: number;
  readonly #options: MemberOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  /** From the last spawn to the first 200 of `/readyz`. */
  readyMs = Number.NaN;

  static async create(options: MemberOptions): Promise<Member> {
    return new Member(options, await freePort());
  }

  private constructor(options: MemberOptions, port: number) {
    this.#options = options;
    this.name = options.name;
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get logPath(): string {
    return this.#options.logPath;
  }

  get log(): string {
    return readFileSync(this.#options.logPath, 'utf8');
  }

  /** Resolves when `/readyz` says so. `more` is added to its environment, or taken over it. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    this.spawn(more);
    await this.ready();
  }

  spawn(more: Readonly<Record<string, string>> = {}): void {
    if (this.#child !== undefined) throw new Error(`${this.name} runs already`);
    const { command, env, logPath } = this.#options;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYSWARM_'));
    const log = openSync(logPath, 'a', 0o600);
    // By the channel it hears of the end of this process, however that comes, and ends itself.
    const child = spawn(process.execPath, [launcher, command], {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...Object.fromEntries(inherited), KEYSWARM_PORT: String(this.port), ...env, ...more },
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) =>
      child.once('exit', () => {
        if (this.#child === child) this.#child = undefined;
        resolve();
      }),
    );
  }

  async ready(): Promise<void> {
    const child = this.#child;
    const beganMs = performance.now();
    while (performance.now() - beganMs < readyMsMax) {
      if (this.#child !== child || child === undefined)
        throw new Error(`${this.name} ended before it was ready:\n${this.log.slice(-2000)}`);
      const isReady = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.status === 200;
        },
        () => false,
      );
      if (isReady) {
        this.readyMs = performance.now() - beganMs;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, readyPollMs));
    }
    throw new Error(`${this.name} was not ready within ${readyMsMax} ms:\n${this.log.slice(-2000)}`);
  }

  /** SIGKILL unless another is named; resolves when it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child?.kill(signal);
    await this.#exited;
  }

  async isReady(): Promise<boolean> {
    const response = await fetch(`${this.url}/readyz`).catch(() => undefined);
    return response?.status === 200;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Asked to go, and made to where it takes too long. */
  async stop(withinMs = 25_000): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
    await this.#exited;
    clearTimeout(timer);
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return lines.length === 0
      ? Number.NaN
      : lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}
