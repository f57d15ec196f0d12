import { shardOfId } from '@keyswarm/core';
import { Client } from 'pg';
import type { Run, Scenario } from '../run/scenario.ts';
import { mendPoison, shardToPoison, writePoison } from './poison.ts';

/** A row of the feed that nobody can read, as a newer server might write one: with its number and its audit record, in order. */
export const poisonEvent: Scenario = {
  name: 'poison-event',
  about:
    'A row of the feed that no verifier can read is committed to one shard, and is mended after two leases.',
  sometimes: [
    'keys of the poisoned shard were answered 503 stale',
    'keys of the other shards were accepted meanwhile',
    'writes to the poisoned shard were acknowledged',
  ],
  async play(run) {
    const client = new Client({ connectionString: run.stage.database.url });
    client.on('error', () => {});
    await client.connect();
    try {
      const { shard, shards } = await shardToPoison(client);
      const since = run.history.size;
      const nodes = run.stage.nodes.map(({ name }) => name);
      await run.fault({ name: `a row of shard ${shard} can not be read`, affects: nodes }, async () => {
        const seq = await writePoison(client, shard);
        await run.seconds(run.isShort ? 3 : 6);
        tellWhatWasSeen(run, { since, shard, shards });
        await mendPoison(client, shard, seq);
      });
      for (const { member } of [...run.stage.servers, ...run.stage.nodes])
        if (!(await member.isReady())) run.violate(`${member.name} did not get over it`);
    } finally {
      await client.end();
    }
  },
};

function tellWhatWasSeen(
  run: Run,
  { since, shard, shards }: { readonly since: number; readonly shard: number; readonly shards: number },
): void {
  const inShard = new Set(
    run.book.all
      .filter(({ id }) => shardOfId(id as Parameters<typeof shardOfId>[0], shards) === shard)
      .map(({ number }) => number),
  );
  run.reachedIf(
    'keys of the poisoned shard were answered 503 stale',
    since,
    ({ key, code }) => inShard.has(key) && code === 'stale',
  );
  run.reachedIf(
    'keys of the other shards were accepted meanwhile',
    since,
    ({ key, code }) => !inShard.has(key) && code === 'valid',
  );
  run.reachedIf(
    'writes to the poisoned shard were acknowledged',
    since,
    ({ key, kind, outcome }) => inShard.has(key) && kind !== 'verify' && kind !== 'read' && outcome === 'ok',
  );
}
