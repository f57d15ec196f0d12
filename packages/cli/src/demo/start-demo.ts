import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DemoState } from '@keyswarm/contract';
import { InputError } from '../input-error.ts';
import type { ServerFlags } from '../parse/server-flags.ts';
import { type FromSwarm, idleState, type ToSwarm } from './demo-messages.ts';

/** Settings that would take the demonstration out of a store of its own. */
const notHere = ['data-dir', 'database-url', 'workers', 'bootstrap-key', 'profile', 'config'];

/** What `keyswarm start --demo` starts beside the server: a store that nobody needs, and a swarm. */
export class Demo {
  readonly flags: ServerFlags;
  readonly #key: string;
  readonly #folder: string;
  #state: DemoState = idleState();
  #child: ChildProcess | undefined;

  constructor(flags: ServerFlags, variables: Readonly<Record<string, string | undefined>>, key: string) {
    const given = notHere.find(
      (name) =>
        flags[name] !== undefined ||
        (variables[`KEYSWARM_${name.replaceAll('-', '_').toUpperCase()}`] ?? '') !== '',
    );
    if (given !== undefined) {
      throw new InputError(
        `--demo and ${given}`,
        'the demonstration has a store of its own, which is gone afterwards',
        'one of the two',
      );
    }
    this.#folder = mkdtempSync(join(tmpdir(), 'keyswarm-demo-'));
    this.#key = key;
    process.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
    this.flags = {
      'log-level': 'warn',
      'drain-timeout-ms': '2000',
      ...flags,
      'data-dir': this.#folder,
      'bootstrap-key': key,
    };
  }

  /** The address at which the console signs in: behind the `#`, which no browser sends. */
  signInUrl(url: string): string {
    return `${url}/#key=${this.#key}`;
  }

  state(): DemoState {
    return this.#state;
  }

  start(): DemoState {
    if (this.#state.state !== 'running') {
      this.#state = { ...idleState(), state: 'running' };
      this.#send({ kind: 'run' });
    }
    return this.#state;
  }

  /** The server listens. */
  begin(url: string): void {
    const child = fork(new URL('./swarm-main.ts', import.meta.url), [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    });
    child.on('message', ({ state }: FromSwarm) => {
      this.#state = state;
    });
    child.on('exit', () => {
      this.#state = { ...this.#state, state: 'failed' };
    });
    this.#child = child;
    // Before the server drains: a swarm that goes on asking would hold it up.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => child.kill('SIGTERM'));
    this.#send({ kind: 'begin', url, key: this.#key });
    this.start();
  }

  #send(message: ToSwarm): void {
    if (this.#child?.connected === true) this.#child.send(message, () => {});
  }
}

/** What a newcomer is told on the terminal. */
export function demoBlock(signInUrl: string): string {
  const line = '─'.repeat(78);
  return [
    '',
    line,
    '  The demonstration runs: a store in a temporary folder, a swarm, two nodes. Open',
    '',
    `  ${signInUrl}`,
    '',
    '  and watch. What stands behind the # signs you in, stays in your browser, and is',
    '  worth nothing once this process ends. Ctrl-C ends it, and leaves nothing behind.',
    line,
    '',
    '',
  ].join('\n');
}
