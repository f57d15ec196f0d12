import { describe, expect, it } from 'vitest';
import { failureOf, issue, issued, play, unavailable } from '../testing/play.ts';
import { problemStep, type Step } from '../testing/scripted-server.ts';

describe('a retry', () => {
  it('sends the same body under the same Idempotency-Key after a dropped connection', () =>
    play(['drop', 'cut', unavailable, issued], async ({ server, client, runtime }) => {
      const body = { ...issue, scopes: ['orders:read'] };
      const pending = client.keys.issue(body);
      body.scopes.push('orders:write');
      expect((await pending).id).toBe('key_1');
      expect(new Set(server.seen.map((request) => request.headers['idempotency-key']))).toEqual(
        new Set(['fresh-1']),
      );
      expect(new Set(server.seen.map((request) => request.body))).toEqual(new Set([JSON.stringify(issue)]));
      expect(server.seen).toHaveLength(4);
      // Half of 100, 200 and 400 ms: full jitter at 0.5.
      expect(runtime.pausesMs).toEqual([50, 100, 200]);
    }));

  it('waits at least as long as the server asked, in seconds or by date', () =>
    play(
      [
        problemStep(429, 'rate_limited', {}, { 'retry-after': '3' }),
        problemStep(503, 'overloaded', {}, { 'retry-after': 'Tue, 01 Jan 2030 00:00:10 GMT' }),
        issued,
      ],
      async ({ client, runtime }) => {
        await client.keys.issue(issue);
        expect(runtime.pausesMs).toEqual([3_050, 10_000 - 3_050 + 100]);
      },
    ));

  it('is not made when the server asks for more time than the deadline leaves', () =>
    play([problemStep(503, 'overloaded', {}, { 'retry-after': '61' })], async ({ client, runtime }) => {
      const error = await failureOf(client.keys.issue(issue));
      expect(error).toMatchObject({ code: 'overloaded', retryAfterMs: 61_000, attempts: 1 });
      expect(runtime.pausesMs).toEqual([]);
    }));

  it('is not made for what will not change by itself', () =>
    play([problemStep(422, 'idempotency_mismatch'), issued], async ({ client, server }) => {
      expect((await failureOf(client.keys.issue(issue))).code).toBe('idempotency_mismatch');
      expect(server.seen).toHaveLength(1);
    }));

  it('ends after the last attempt with the last error', () =>
    play([unavailable, 'drop', problemStep(503, 'stale')], async ({ client }) => {
      expect(await failureOf(client.keys.verify({ key: 'x' }, { attemptsMax: 3 }))).toMatchObject({
        code: 'stale',
        attempts: 3,
      });
    }));

  it('of a PATCH is made when the server did nothing, and not when that is uncertain', async () => {
    await play([unavailable, { status: 200, json: { id: 'key_1' } }], async ({ client, server }) => {
      await client.keys.update('key_1', { name: 'b' });
      expect(server.seen[0]).toMatchObject({ method: 'PATCH', body: '{"name":"b"}' });
      expect(server.seen).toHaveLength(2);
    });
    for (const step of ['drop', problemStep(503, 'outcome_unknown')] satisfies Step[]) {
      await play([step, { status: 200, json: {} }], async ({ client, server }) => {
        await failureOf(client.keys.update('key_1', { name: 'b' }));
        expect(server.seen).toHaveLength(1);
      });
    }
  });

  it('costs the client a token, and calls earn them back', () =>
    play(
      [unavailable, unavailable, unavailable, unavailable, issued],
      async ({ client, server }) => {
        expect((await failureOf(client.keys.issue(issue))).attempts).toBe(2);
        // One token spent, none left: the next call is sent once; the two calls have earned one again.
        expect((await failureOf(client.keys.issue(issue))).attempts).toBe(1);
        expect((await client.keys.issue(issue)).id).toBe('key_1');
        expect(server.seen).toHaveLength(5);
      },
      { retry: { budgetTokensMax: 1, budgetTokensPerCall: 0.5 } },
    ));
});

describe('time', () => {
  it.each<Step>(['silence', 'stall'])(
    'limits an attempt that meets %s, and the next goes under the same key',
    (step) =>
      play([step, issued], async ({ client, server, runtime }) => {
        const pending = client.keys.issue(issue);
        await server.received(1);
        expect([...runtime.timers.values()]).toEqual([10_000]);
        runtime.fireTimers();
        expect((await pending).id).toBe('key_1');
        expect(server.seen[1]?.headers['idempotency-key']).toBe('fresh-1');
        expect(runtime.timers.size).toBe(0);
      }),
  );

  it('that a busy process slept away is not used for another attempt', () =>
    play([unavailable, issued], async ({ client, server, runtime }) => {
      runtime.sleep = async () => {
        runtime.nowMs += 60_000;
      };
      expect((await failureOf(client.keys.issue(issue))).code).toBe('overloaded');
      expect(server.seen).toHaveLength(1);
    }));

  it('of the whole call is limited by the deadline', () =>
    play(['silence'], async ({ client, server, runtime }) => {
      const pending = failureOf(client.keys.issue(issue, { deadlineMs: 700 }));
      await server.received(1);
      expect([...runtime.timers.values()]).toEqual([700]);
      runtime.fireTimers();
      expect(await pending).toMatchObject({ code: 'timeout', attempts: 1 });
    }));

  it('ends at once when the caller aborts, with the reason of the caller', () =>
    play(['silence'], async ({ client, server, runtime }) => {
      const stop = new AbortController();
      const reason = new Error('enough');
      const pending = client.keys.issue(issue, { signal: stop.signal });
      await server.received(1);
      stop.abort(reason);
      await expect(pending).rejects.toBe(reason);
      expect(runtime.timers.size).toBe(0);
      await expect(client.keys.issue(issue, { signal: stop.signal })).rejects.toBe(reason);
      expect(server.seen).toHaveLength(1);
    }));
});
