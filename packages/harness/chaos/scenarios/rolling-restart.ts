import { findHaproxy } from '../../cluster/index.ts';
import { sendSignal } from '../../processes/process-tree.ts';
import type { BookKey } from '../load/key-book.ts';
import type { Run, Scenario } from '../run/scenario.ts';
import { serverAt } from './parts.ts';

/** Whoever asks by way of the balancer: so many at once, one request after the other each. */
const clients = 6;

/**
 * What an upgrade is: every process is restarted in order behind a balancer that asks who is ready, and nobody who asks through
 * it may notice. Before that a worker is killed, which whoever was being answered by it does notice.
 */
export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  about:
    'Behind HAProxy a worker is killed, and then each server and each verifier is restarted in order; no request fails for that.',
  missing: () => findHaproxy().missing,
  stage: { nodes: 2, workers: 2, balancer: true },
  rates: { verifies: 20, writes: 15 },
  sometimes: [
    'a worker was killed and its server went on',
    'the balancer left out who was not ready',
    'every server was restarted',
    'every verifier was restarted',
  ],
  async play(run) {
    const { servers, nodes } = run.stage;
    const key = await run.clerk.issue({ keyspace: 'usual', ttlSeconds: 3_600 });
    if (key === undefined) throw new Error('no key could be issued');
    key.isBusy = true;
    const server = serverAt(run, 0);
    await run.fault({ name: `a worker of ${server.name} killed`, affects: [server.name] }, async () => {
      const worker = server.member.pids().at(-1);
      if (worker === undefined || worker === server.member.pid) throw new Error('there is no worker');
      sendSignal(worker, 'SIGKILL');
      await run.seconds(1);
      if (await server.member.isReady()) run.reached('a worker was killed and its server went on');
    });
    const callers = new Callers(run, key);
    callers.start();
    for (const { member } of servers) await restart(run, member);
    run.reached('every server was restarted');
    for (const { member } of nodes) await restart(run, member);
    run.reached('every verifier was restarted');
    await callers.stop();
    run.note(
      `${callers.answered} requests through the balancer during the restarts, ${callers.failed.length} failed`,
    );
    if (callers.failed.length > 0)
      run.violate(`${callers.failed.length} requests through the balancer failed: ${callers.failed[0]}`);
  },
};

async function restart(run: Run, member: Run['stage']['servers'][number]['member']): Promise<void> {
  const { balancer } = run.stage.cluster;
  await run.fault({ name: `${member.name} restarted in order`, affects: [member.name] }, async () => {
    await member.stop();
    if ((await balancer?.health())?.get(member.name) === false)
      run.reached('the balancer left out who was not ready');
    await member.start();
    // Nobody restarts the next one before this one is asked again.
    while ((await balancer?.health())?.get(member.name) !== true) await run.seconds(0.1);
  });
}

/** Clients that know the balancer and nobody else: they verify a key at the nodes' door and read it at the servers'. */
class Callers {
  answered = 0;
  readonly failed: string[] = [];
  readonly #run: Run;
  readonly #key: BookKey;
  #isOver = false;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(run: Run, key: BookKey) {
    this.#run = run;
    this.#key = key;
  }

  start(): void {
    this.#ended = Promise.all(Array.from({ length: clients }, (_, at) => this.#go(at % 2 === 0)));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  async #go(verifies: boolean): Promise<void> {
    while (!this.#isOver) {
      try {
        const problem = verifies ? await this.#verify() : await this.#read();
        if (problem === undefined) this.answered += 1;
        else this.failed.push(problem);
      } catch (error) {
        this.failed.push(String(error));
      }
      await this.#run.seconds(0.02);
    }
  }

  async #verify(): Promise<string | undefined> {
    const { cluster } = this.#run.stage;
    const body = JSON.stringify({ key: this.#key.secrets.at(-1), keyspace: this.#key.keyspace });
    const reply = await fetch(`${cluster.balancer?.verifiersUrl}/v1/keys/verify`, {
      method: 'POST',
      headers: { ...this.#headers, 'content-type': 'application/json' },
      body,
    });
    const answer = (await reply.json()) as { readonly valid?: unknown };
    return reply.status === 200 && answer.valid === true
      ? undefined
      : `verify: ${reply.status} ${JSON.stringify(answer)}`;
  }

  async #read(): Promise<string | undefined> {
    const { cluster } = this.#run.stage;
    const reply = await fetch(`${cluster.balancer?.serversUrl}/v1/keys/${this.#key.id}`, {
      headers: this.#headers,
    });
    const text = await reply.text();
    return reply.status === 200 ? undefined : `read: ${reply.status} ${text.slice(0, 200)}`;
  }

  get #headers() {
    return { authorization: `Bearer ${this.#run.stage.managementKey}` };
  }
}
