import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Run, Scenario } from '../run/scenario.ts';
import { serverAt } from './parts.ts';

/** The consumer of a webhook is down while events pile up; a server dies as it works the queue off. */
export const webhookBacklog: Scenario = {
  name: 'webhook-backlog',
  about:
    'The consumer of a webhook is down for over a minute of changes; as the queue is worked off a server is killed.',
  // The profile of clusters sends webhooks over https alone.
  stage: {
    serverEnv: () => ({
      KEYSWARM_PROFILE: 'single',
      KEYSWARM_WEBHOOK_HTTP: 'true',
      KEYSWARM_WEBHOOK_ALLOW: '127.0.0.1',
    }),
  },
  rates: { writes: 40, verifies: 25 },
  sometimes: [
    'deliveries were refused while the consumer was down',
    'a server was killed with deliveries waiting',
    'every event was delivered',
  ],
  async play(run) {
    const consumer = new Consumer();
    const url = await consumer.listen();
    try {
      const since = run.events().length;
      const made = await serverAt(run, 0).api.call('POST', '/v1/webhooks', {
        url,
        types: ['key.issued', 'key.revoked'],
      });
      if (made.status !== 201) throw new Error(`webhook: ${made.status} ${JSON.stringify(made.body)}`);
      await run.seconds(run.isShort ? 6 : 75);
      if (consumer.refused > 0) run.reached('deliveries were refused while the consumer was down');
      const server = serverAt(run, 1);
      await run.fault({ name: `consumer back, ${server.name} killed`, affects: [server.name] }, async () => {
        consumer.isDown = false;
        run.reached('a server was killed with deliveries waiting');
        await server.member.kill();
        await run.seconds(1);
        await server.member.start();
      });
      await untilDelivered(run, consumer, since);
    } finally {
      await consumer.close();
    }
  },
};

/** Claims of the dead run out after 20 s, and a retry comes after as long again as was waited. */
const deliveredWithinS = 150;

async function untilDelivered(run: Run, consumer: Consumer, since: number): Promise<void> {
  const begun = performance.now();
  for (let turn = 0; turn < deliveredWithinS * 2; turn += 1) {
    const until = performance.now() - begun;
    const told = run
      .events()
      .slice(since)
      .filter(({ type }) => type === 'key.issued' || type === 'key.revoked');
    const missing = told.filter(({ epoch, shard, seq }) => !consumer.seen.has(`${epoch}-${shard}-${seq}`));
    // What has just happened is on its way; what was there at the end of the outage has to have come.
    if (missing.length < told.length / 20 && until > 2_000) {
      run.reached('every event was delivered');
      const { seen, again, outOfOrder, refused } = consumer;
      run.note(
        `${seen.size} events delivered, ${again} again, ${refused} refusals, done ${Math.round(until / 1000)} s after the consumer was back`,
      );
      if (outOfOrder > 0) run.violate(`${outOfOrder} events of a key came out of order`);
      return;
    }
    await run.seconds(0.5);
  }
  run.violate(`events were not delivered within ${deliveredWithinS} s`);
}

class Consumer {
  isDown = true;
  refused = 0;
  again = 0;
  outOfOrder = 0;
  readonly seen = new Set<string>();
  readonly #lastOf = new Map<string, number>();
  readonly #server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      if (this.isDown) this.refused += 1;
      else
        this.#take(
          JSON.parse(Buffer.concat(chunks).toString()) as { readonly id: string; readonly subject: string },
        );
      response.writeHead(this.isDown ? 503 : 204).end();
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #take({ id, subject }: { readonly id: string; readonly subject: string }): void {
    if (this.seen.has(id)) {
      this.again += 1;
      return;
    }
    this.seen.add(id);
    const seq = Number(id.split('-')[2]);
    if (seq < (this.#lastOf.get(subject) ?? 0)) this.outOfOrder += 1;
    this.#lastOf.set(subject, seq);
  }
}
