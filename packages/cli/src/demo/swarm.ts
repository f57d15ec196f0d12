import type { DemoState, DemoStep } from '@keyswarm/contract';
import { type Client, createClient } from '@keyswarm/sdk';
import { type Link, openLink } from './cut-link.ts';
import { demoAfterglowMs, demoBulk, demoFleet, demoKeys, demoLeaseSeconds } from './demo-limits.ts';
import { DemoLoad } from './demo-load.ts';
import { idleState, type StepId } from './demo-messages.ts';
import { type DemoNode, startDemoNode } from './demo-node.ts';
import { Holders } from './holders.ts';
import { type Scene, storySteps } from './story.ts';

/*
 * The swarm: a client of the API as any other, in a process of its own, that makes holders, has them verify, revokes
 * and rotates under load, cuts a verifier off and lets it back, and tells at each step what was seen. What it claims it
 * has counted; a step that does not see what was promised has failed, and says so.
 */
export class Swarm {
  readonly #url: string;
  readonly #key: string;
  readonly #tell: (state: DemoState) => void;
  readonly #root: Client;
  #state: DemoState = idleState();
  #startedMs = 0;
  #runs = 0;
  #nodes: { readonly west: DemoNode; readonly east: DemoNode; readonly link: Link } | undefined;
  #load: DemoLoad | undefined;
  #afterglow: NodeJS.Timeout | undefined;

  constructor(url: string, key: string, tell: (state: DemoState) => void) {
    this.#url = url;
    this.#key = key;
    this.#tell = tell;
    this.#root = this.#clientOf(url, key);
  }

  async run(): Promise<void> {
    if (this.#state.state === 'running') return;
    this.#load?.stop();
    clearTimeout(this.#afterglow);
    this.#startedMs = performance.now();
    this.#runs += 1;
    this.#say({ ...idleState(), state: 'running' });
    const clock = setInterval(() => this.#say(this.#state), 1000);
    try {
      const scene = await this.#setScene();
      for (const { id, play } of storySteps) await this.#play(id, () => play(scene));
      this.#say({ ...this.#state, state: 'done' });
    } catch {
      this.#say({ ...this.#state, state: 'failed' });
    } finally {
      clearInterval(clock);
      this.#afterglow = setTimeout(() => this.#load?.stop(), demoAfterglowMs);
      this.#afterglow.unref();
    }
  }

  stop(): void {
    this.#load?.stop();
    this.#nodes?.link.close();
    this.#nodes?.west.stop();
    this.#nodes?.east.stop();
  }

  async #setScene(): Promise<Scene> {
    const holders = new Holders((secret) => this.#clientOf(this.#url, secret));
    let keyspace = { id: '', name: '' };
    await this.#play('issue', async () => {
      const name = `orders-${this.#runs}`;
      keyspace = await this.#root.keyspaces.create({
        name,
        prefix: 'orders',
        allowed_scopes: ['orders:*'],
        lease_seconds: demoLeaseSeconds,
        default_ttl_seconds: 86_400,
      });
      return await this.#issue(keyspace.id, holders);
    });
    const nodes = await this.#openNodes();
    const points = [
      { name: 'authority', client: this.#root, weight: 6 },
      { name: nodes.west.name, client: this.#clientOf(nodes.west.url, this.#key), weight: 2 },
      { name: nodes.east.name, client: this.#clientOf(nodes.east.url, this.#key), weight: 2 },
    ];
    const load = new DemoLoad(holders, keyspace.name, points);
    this.#load = load;
    load.start();
    const [, , east] = points;
    if (east === undefined) throw new Error('there are three access points');
    return {
      root: this.#root,
      holders,
      keyspace,
      load,
      link: nodes.link,
      east: east.client,
      say: this.#progress,
    };
  }

  async #issue(keyspace: string, holders: Holders): Promise<string> {
    const startedMs = performance.now();
    const terms = Array.from({ length: demoKeys }, (_, at) => ({
      keyspace,
      owner: { kind: 'service' as const, external_id: at < demoFleet ? 'fleet' : `service-${at % 40}` },
      name: `holder ${at + 1}`,
      scopes: ['orders:read', 'orders:write'],
    }));
    for (let at = 0; at < terms.length; at += demoBulk) {
      const results = await this.#root.keys.issueBulk(terms.slice(at, at + demoBulk));
      holders.add(results.flatMap((one) => ('error' in one ? [] : [one])));
      this.#progress('issue', `${holders.all.length} keys so far`);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const rate = Math.round(demoKeys / seconds).toLocaleString('en');
    return `${demoKeys.toLocaleString('en')} keys in ${seconds.toFixed(1)} s, ${rate} a second, each durable before it was answered.`;
  }

  /** Two nodes without a store; the second one hangs on a wire that can be cut. They stay for the next run. */
  async #openNodes() {
    if (this.#nodes !== undefined) return this.#nodes;
    const credentialOf = async (name: string): Promise<string> => {
      const owner = { kind: 'service' as const, external_id: name };
      const scopes = ['feed:read', 'feed:read:keyswarm'];
      const { secret } = await this.#root.keys.issue({ keyspace: 'keyswarm', owner, name, scopes });
      if (secret === undefined) throw new Error('A management key has a secret.');
      return secret;
    };
    const link = await openLink(new URL(this.#url));
    const node = async (name: string, region: string, relay: string) =>
      startDemoNode({ name, region, relay, credential: await credentialOf(name) });
    const [west, east] = await Promise.all([
      node('edge-west', 'us-west', this.#url),
      node('edge-east', 'us-east', link.url),
    ]);
    this.#nodes = { west, east, link };
    return this.#nodes;
  }

  async #play(id: StepId, play: () => Promise<string>): Promise<void> {
    this.#step(id, { state: 'running' });
    try {
      this.#step(id, { detail: await play(), state: 'done' });
    } catch (error) {
      this.#step(id, { state: 'failed', detail: error instanceof Error ? error.message : 'It failed.' });
      throw error;
    }
  }

  readonly #progress = (id: StepId, detail: string): void => this.#step(id, { detail });

  #step(id: StepId, change: Partial<DemoStep>): void {
    const steps = this.#state.steps.map((step) => (step.id === id ? { ...step, ...change } : step));
    this.#say({ ...this.#state, steps });
  }

  #say(state: DemoState): void {
    const isOver = state.state !== 'running';
    const elapsed = isOver ? this.#state.elapsed_ms : Math.round(performance.now() - this.#startedMs);
    this.#state = { ...state, elapsed_ms: elapsed };
    this.#tell(this.#state);
  }

  #clientOf(baseUrl: string, managementKey: string): Client {
    return createClient({ baseUrl, managementKey, timeoutMs: 5_000, retry: { deadlineMs: 20_000 } });
  }
}
