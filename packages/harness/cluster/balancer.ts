import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../processes/find-program.ts';
import type { Leftovers } from '../processes/leftovers.ts';
import { sendSignal } from '../processes/process-tree.ts';
import { lookEveryMs } from './limits.ts';
import type { Member } from './member.ts';

/*
 * HAProxy on loopback, as somebody would put it in front of a real deployment: one door to the servers and one to the
 * verifiers, and no request to one whose /readyz is not 200. Not nginx: the one that is free looks at nobody's
 * readiness, and finds out by failed requests.
 */

export interface BalancerOptions {
  readonly folder: string;
  readonly logPath: string;
  readonly ports: { readonly servers: number; readonly verifiers: number; readonly state: number };
  readonly servers: readonly Member[];
  readonly verifiers: readonly Member[];
  readonly leftovers: Leftovers;
}

const startMsMax = 10_000;

export function findHaproxy() {
  return findProgram({
    name: 'haproxy',
    debianPackage: 'haproxy',
    leftOut: 'the balancer of the cluster, and what is shown through it',
  });
}

export class Balancer {
  /** The API. */
  readonly serversUrl: string;
  /** `/v1/keys/verify` and forward-auth. */
  readonly verifiersUrl: string;
  readonly logPath: string;
  readonly #options: BalancerOptions;
  #child: ChildProcess | undefined;

  constructor(options: BalancerOptions) {
    this.#options = options;
    this.logPath = options.logPath;
    this.serversUrl = `http://127.0.0.1:${options.ports.servers}`;
    this.verifiersUrl = `http://127.0.0.1:${options.ports.verifiers}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const { path, missing } = findHaproxy();
    if (path === undefined) throw new Error(missing);
    const config = join(this.#options.folder, 'haproxy.cfg');
    writeFileSync(config, configOf(this.#options));
    const log = openSync(this.logPath, 'a', 0o600);
    const child = spawn(path, ['-db', '-f', config], {
      stdio: ['ignore', log, log],
      detached: true,
      env: {},
    });
    closeSync(log);
    this.#child = child;
    if (child.pid !== undefined) this.#options.leftovers.add('group', child.pid);
    child.once('exit', () => {
      this.#child = undefined;
    });
    const until = performance.now() + startMsMax;
    while (this.#child !== undefined && performance.now() < until) {
      const seen = await this.health().catch(() => undefined);
      if (seen !== undefined) return;
      await sleep(lookEveryMs);
    }
    throw new Error(`haproxy did not start: ${readFileSync(this.logPath, 'utf8').slice(-2000)}`);
  }

  /** By the name of each member: does the balancer send requests there now? */
  async health(): Promise<ReadonlyMap<string, boolean>> {
    const reply = await fetch(`http://127.0.0.1:${this.#options.ports.state}/state;csv`, {
      signal: AbortSignal.timeout(2_000),
    });
    const [head = '', ...rows] = (await reply.text()).trim().split('\n');
    const columns = head.replace(/^# /, '').split(',');
    const [nameAt, statusAt] = [columns.indexOf('svname'), columns.indexOf('status')];
    const cells = rows.map((row) => row.split(','));
    const members = cells.filter((row) => !['FRONTEND', 'BACKEND'].includes(row[nameAt] ?? ''));
    return new Map(members.map((row) => [row[nameAt] ?? '', (row[statusAt] ?? '').startsWith('UP')]));
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    sendSignal(child.pid, 'SIGTERM');
    if (this.#child !== undefined) await once(child, 'exit');
    this.#options.leftovers.gone('group', child.pid);
  }
}

function configOf({ ports, servers, verifiers }: BalancerOptions): string {
  const rows = (members: readonly Member[]): string =>
    members.map(({ name, port }) => `  server ${name} 127.0.0.1:${port}`).join('\n');
  return `
global
  maxconn 8000
defaults
  mode http
  option redispatch
  # Only what never reached a server is sent again: a request that was sent may have had its effect.
  retry-on conn-failure
  retries 2
  timeout connect 1s
  timeout client 120s
  timeout server 120s
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 250ms fall 2 rise 1
frontend api
  bind 127.0.0.1:${ports.servers}
  default_backend servers
frontend verify
  bind 127.0.0.1:${ports.verifiers}
  default_backend verifiers
backend servers
  balance roundrobin
${rows(servers)}
backend verifiers
  balance roundrobin
${rows(verifiers)}
frontend state
  bind 127.0.0.1:${ports.state}
  stats enable
  stats uri /state
`;
}
