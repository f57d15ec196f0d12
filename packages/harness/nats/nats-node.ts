import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monitorOf } from './monitor.ts';

/** SIGKILL is a crash; SIGTERM an orderly end; SIGSTOP leaves the sockets open and nobody behind them. */
export type NodeSignal = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT';

export interface NodeLayout {
  readonly program: string;
  /** The server's name in its cluster. */
  readonly name: string;
  /** Its own folder: settings, store, log, pid. */
  readonly folder: string;
  readonly clientPort: number;
  readonly monitorPort: number;
  /** The rest of its settings file. */
  readonly settings: string;
}

/** After SIGTERM a server that still runs is killed. */
const endMsMax = 15_000;
const startMsMax = 20_000;
const lookEveryMs = 25;

/** One `nats-server` on loopback, with a folder and ports that it keeps through its restarts. */
export class NatsNode {
  readonly name: string;
  readonly #layout: NodeLayout;
  #child: ChildProcess | undefined;

  constructor(layout: NodeLayout) {
    this.name = layout.name;
    this.#layout = layout;
    mkdirSync(layout.folder, { recursive: true });
    writeFileSync(this.#path('server.conf'), settingsOf(layout, this.#path('store')));
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#layout.clientPort}`;
  }

  get monitorPort(): number {
    return this.#layout.monitorPort;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Starts it, or starts it again where it was. Resolves when it takes connections; throws with its log. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const log = openSync(this.#path('log'), 'a');
    const child = spawn(this.#layout.program, ['-c', this.#path('server.conf'), '-P', this.#path('pid')], {
      stdio: ['ignore', log, log],
      // A Ctrl-C at the terminal is for whoever started it.
      detached: true,
      env: {},
    });
    closeSync(log);
    this.#child = child;
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    child.once('error', () => {
      if (this.#child === child) this.#child = undefined;
    });
    for (let waitedMs = 0; waitedMs < startMsMax && this.#child === child; waitedMs += lookEveryMs) {
      if ((await monitorOf(this.monitorPort, '/varz')) !== undefined) return;
      await sleep(lookEveryMs);
    }
    await this.signal('SIGKILL');
    throw new Error(`nats-server ${this.name} did not start: ${this.readLog()}`);
  }

  /** Resolves when the process is gone, or for SIGSTOP and SIGCONT at once. */
  async signal(signal: NodeSignal): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    const patience = new AbortController();
    const late = sleep(endMsMax, undefined, { signal: patience.signal }).then(
      () => child.kill('SIGKILL'),
      () => false,
    );
    await gone;
    patience.abort();
    await late;
  }

  readLog(): string {
    return readFileSync(this.#path('log'), 'utf8').slice(-4000);
  }

  #path(file: string): string {
    return join(this.#layout.folder, file);
  }
}

function settingsOf({ name, clientPort, monitorPort, settings }: NodeLayout, store: string): string {
  return [
    `server_name: ${name}`,
    `listen: "127.0.0.1:${clientPort}"`,
    `http: "127.0.0.1:${monitorPort}"`,
    settings.replaceAll('$STORE', JSON.stringify(store)),
    '',
  ].join('\n');
}
