import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Leftovers } from '../processes/leftovers.ts';
import { sendSignal, treeOf } from '../processes/process-tree.ts';
import { endMsMax, lookEveryMs, outputBytesMax, readyMsMax } from './limits.ts';

export type MemberRole = 'server' | 'relay' | 'verifier';
export type Variables = Readonly<Record<string, string>>;

export interface MemberOptions {
  readonly name: string;
  readonly role: MemberRole;
  readonly port: number;
  /** `start …` or `verifier …`. */
  readonly args: readonly string[];
  readonly env: Variables;
  readonly logPath: string;
  readonly leftovers: Leftovers;
  readonly signal?: AbortSignal | undefined;
}

export interface StartWishes {
  /** Over its own, for this start only: `FAKETIME`, `NODE_OPTIONS` … */
  readonly env?: Variables;
  /** True: resolves as soon as it is spawned. */
  readonly isImpatient?: boolean;
}

const launcher = fileURLToPath(new URL('../../cli/bin/keyswarm.mjs', import.meta.url));

/**
 * A server or a verify-only node as its users start it: the command, in a process group of its own, with nothing in its
 * environment but what is said here. It keeps its name, port and log through its restarts.
 */
export class Member {
  readonly name: string;
  readonly role: MemberRole;
  readonly port: number;
  readonly url: string;
  readonly logPath: string;
  readonly #options: MemberOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  constructor(options: MemberOptions) {
    this.name = options.name;
    this.role = options.role;
    this.port = options.port;
    this.url = `http://127.0.0.1:${options.port}`;
    this.logPath = options.logPath;
    this.#options = options;
  }

  /** Of what was started: the supervisor, where there are workers. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Of all its processes, the first one being `pid`. */
  pids(): readonly number[] {
    return this.pid === undefined ? [] : treeOf(this.pid);
  }

  /** Resolves at the first 200 of `/readyz`. */
  async start(wishes: StartWishes = {}): Promise<void> {
    if (this.#child !== undefined) return;
    const { args, env, leftovers } = this.#options;
    const log = openSync(this.logPath, 'a', 0o600);
    const child = spawn(process.execPath, [launcher, ...args], {
      stdio: ['ignore', log, log],
      detached: true,
      env: { ...inherited(), ...env, ...wishes.env },
    });
    closeSync(log);
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) leftovers.add('group', pid);
    this.#exited = once(child, 'exit')
      .catch(() => undefined)
      .then(() => {
        if (this.#child === child) this.#child = undefined;
      });
    if (wishes.isImpatient !== true) await this.untilReady();
  }

  /** Rejects when it ends before, or takes too long, with what it last wrote. */
  async untilReady(withinMs = readyMsMax): Promise<void> {
    const until = performance.now() + withinMs;
    while (this.#child !== undefined && performance.now() < until) {
      this.#options.signal?.throwIfAborted();
      if (await this.isReady()) return;
      await sleep(lookEveryMs);
    }
    const how = this.#child === undefined ? 'ended before it was ready' : `was not ready in ${withinMs} ms`;
    throw new Error(`${this.name} ${how}:\n${this.output().slice(-2000)}`);
  }

  async isReady(): Promise<boolean> {
    try {
      const reply = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) });
      await reply.arrayBuffer();
      return reply.status === 200;
    } catch {
      return false;
    }
  }

  /** To all its processes: SIGSTOP and SIGCONT, mostly. */
  signal(name: NodeJS.Signals): void {
    if (this.pid !== undefined) sendSignal(-this.pid, name);
  }

  /** SIGKILL to all of it: nothing is flushed, nothing is said. */
  async kill(): Promise<void> {
    const { pid } = this;
    if (pid === undefined) return;
    sendSignal(-pid, 'SIGKILL');
    await this.#exited;
    this.#options.leftovers.gone('group', pid);
  }

  /** SIGTERM, and wait for the drain. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child?.pid === undefined) return null;
    this.signal('SIGCONT');
    sendSignal(child.pid, 'SIGTERM');
    const patience = new AbortController();
    const late = sleep(endMsMax, undefined, { signal: patience.signal }).then(
      () => sendSignal(-(child.pid ?? 0), 'SIGKILL'),
      () => undefined,
    );
    await this.#exited;
    patience.abort();
    await late;
    // Whoever is left of its group has nobody over it.
    sendSignal(-child.pid, 'SIGKILL');
    this.#options.leftovers.gone('group', child.pid);
    return child.exitCode;
  }

  /** The last of what all its lives have written. */
  output(): string {
    const log = openSync(this.logPath, 'r');
    try {
      const { size } = fstatSync(log);
      const bytes = Buffer.alloc(Math.min(size, outputBytesMax));
      readSync(log, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8');
    } finally {
      closeSync(log);
    }
  }
}

/** Settings of whoever starts the cluster are not those of its members. */
function inherited(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(KEYSWARM|NODE|VITEST)_?/.test(name));
  return { ...Object.fromEntries(kept), NO_COLOR: '1' };
}
