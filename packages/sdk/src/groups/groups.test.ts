import { describe, expect, it } from 'vitest';
import { type Client, createClient } from '../index.ts';
import { ManualRuntime } from '../testing/manual-runtime.ts';
import { problemStep, ScriptedServer, type Step } from '../testing/scripted-server.ts';

async function play(
  steps: readonly Step[],
  act: (client: Client, server: ScriptedServer, runtime: ManualRuntime) => Promise<void>,
): Promise<void> {
  await using server = new ScriptedServer(steps);
  const runtime = new ManualRuntime();
  await act(
    createClient({ baseUrl: await server.start(), managementKey: 'keyswarm_k', runtime }),
    server,
    runtime,
  );
}

const page = (ids: readonly string[], next_cursor: string | null): Step => ({
  status: 200,
  json: { items: ids.map((id) => ({ id })), next_cursor },
});

describe('a list', () => {
  it('is walked to its end over all pages, with its filter and limit on each', () =>
    play([page(['a', 'b'], 'c1'), page([], 'c2'), page(['c'], null)], async (client, server) => {
      const ids: string[] = [];
      for await (const key of client.keys.list({ keyspace: 'orders-live', state: 'active', limit: 2 }))
        ids.push(key.id);
      expect(ids).toEqual(['a', 'b', 'c']);
      const filter = '/v1/keys?keyspace=orders-live&state=active&limit=2';
      expect(server.seen.map((request) => request.url)).toEqual([
        filter,
        `${filter}&cursor=c1`,
        `${filter}&cursor=c2`,
      ]);
    }));

  it('asks for no page that is not wanted', () =>
    play([page(['a', 'b'], 'c1')], async (client, server) => {
      for await (const owner of client.owners.list()) {
        expect(owner.id).toBe('a');
        break;
      }
      expect(server.seen).toHaveLength(1);
    }));

  it('can be read page by page, from a cursor on', () =>
    play([page(['a'], 'c2'), page(['b'], null)], async (client, server) => {
      const sizes: number[] = [];
      for await (const { items } of client.keyspaces.list({ cursor: 'c1' }).pages()) sizes.push(items.length);
      expect(sizes).toEqual([1, 1]);
      expect(server.seen[0]?.url).toBe('/v1/keyspaces?cursor=c1');
    }));

  it('is not walked for ever when the cursor does not move', () =>
    play([page(['a'], 'c1'), page(['a'], 'c1')], async (client) => {
      const walk = async () => {
        for await (const _ of client.keys.list());
      };
      await expect(walk()).rejects.toThrow('The cursor does not move.');
    }));

  it('finds the owner that another system knows by name', () =>
    play([page(['own_1'], null), page([], null)], async (client, server) => {
      const owner = { kind: 'service', external_id: 'a&b' } as const;
      expect((await client.owners.find(owner))?.id).toBe('own_1');
      expect(await client.owners.find(owner)).toBeUndefined();
      expect(server.seen[0]?.url).toBe('/v1/owners?kind=service&external_id=a%26b&limit=1');
    }));
});

const events = (ids: readonly string[], next_cursor: string): Step => page(ids, next_cursor);

describe('a tail', () => {
  it('goes on from each cursor, waits only when nothing is left, and ends quietly when it is aborted', () =>
    play(
      [events(['1', '2'], 'c1'), events([], 'c2'), events([], 'c2'), events(['3'], 'c3')],
      async (client, server, runtime) => {
        const stop = new AbortController();
        const ids: string[] = [];
        const types = ['key.issued', 'key.revoked'] as const;
        for await (const event of client.events.tail({ types, pollMs: 250 }, { signal: stop.signal })) {
          ids.push(event.id);
          if (event.id === '3') stop.abort();
        }
        expect(ids).toEqual(['1', '2', '3']);
        const first = '/v1/events?types=key.issued%2Ckey.revoked';
        expect(server.seen.map((request) => request.url)).toEqual([
          first,
          ...['c1', 'c2', 'c2'].map((cursor) => first.replace('?', `?after=${cursor}&`)),
        ]);
        expect(runtime.pausesMs).toEqual([250]);
      },
    ));

  it('outlives an outage, and loses its place through none', () =>
    play(
      [
        events(['1'], 'c1'),
        ...Array<Step>(5).fill('drop'),
        problemStep(503, 'store_unavailable'),
        events(['2'], 'c2'),
      ],
      async (client, server) => {
        const cursors: string[] = [];
        for await (const { next_cursor } of client.events.tailPages()) {
          cursors.push(next_cursor);
          if (cursors.length === 2) break;
        }
        expect(cursors).toEqual(['c1', 'c2']);
        expect(server.seen.at(-1)?.url).toBe('/v1/events?after=c1');
      },
    ));

  it('ends with the error when the server refuses it', () =>
    play([problemStep(403, 'forbidden')], async (client) => {
      await expect(client.events.tail().next()).rejects.toMatchObject({ code: 'forbidden' });
    }));

  it('ends quietly also when it is aborted in the middle of a call', () =>
    play(['silence'], async (client, server) => {
      const stop = new AbortController();
      const next = client.events.tail({}, { signal: stop.signal }).next();
      await server.received(1);
      stop.abort();
      expect(await next).toEqual({ done: true, value: undefined });
    }));
});
