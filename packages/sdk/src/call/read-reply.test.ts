import { describe, expect, it } from 'vitest';
import { failureOf, issue, issued, play } from '../testing/play.ts';
import { problemStep, type Step } from '../testing/scripted-server.ts';

describe('a reply that is not of this API', () => {
  it.each<[string, Step]>([
    ['is not JSON', { status: 200, text: '{"valid": tru' }],
    ['is a page', { status: 200, text: '<html>' }],
    ['is no object', { status: 200, text: '[]' }],
    ['is empty', { status: 200, text: '' }],
    ['is a redirect', { status: 302, text: '', headers: { location: 'http://127.0.0.1:1/' } }],
    ['is a verdict that contradicts itself', { status: 200, json: { valid: true, code: 'revoked' } }],
    ['calls a refusal valid', { status: 200, json: { valid: false, code: 'valid' } }],
    ['has a valid that is text', { status: 200, json: { valid: 'true', code: 'valid' } }],
    ['has no code', { status: 200, json: { valid: true } }],
    ['is a problem with an unknown code', problemStep(400, 'from_the_future')],
  ])('is a bad_reply and not sent again: it %s', (_, step) =>
    play([step, { status: 200, json: { valid: true, code: 'valid' } }], async ({ client, server }) => {
      expect(await failureOf(client.keys.verify({ key: 'x' }))).toMatchObject({
        code: 'bad_reply',
        retryable: false,
      });
      expect(server.seen).toHaveLength(1);
    }),
  );

  it('is tried again when it is the complaint of a proxy', () =>
    play([{ status: 502, text: '<html>' }, { status: 504, text: '' }, issued], async ({ client }) => {
      expect((await client.keys.issue(issue)).id).toBe('key_1');
    }));

  it('has as many results as were asked for, each a verdict or an error', async () => {
    const valid = { valid: true, code: 'valid' };
    const stale = { error: { code: 'stale', detail: '' } };
    const questions = [{ key: 'a' }, { key: 'b' }];
    await play([{ status: 200, json: { results: [valid, stale] } }], async ({ client }) => {
      expect(await client.keys.verifyBulk(questions)).toEqual([valid, stale]);
    });
    for (const results of [
      [valid],
      [valid, valid, valid],
      undefined,
      [valid, { valid: true }],
      [valid, { valid: true, error: {} }],
    ]) {
      await play([{ status: 200, json: { results } }], async ({ client }) => {
        expect((await failureOf(client.keys.verifyBulk(questions))).code).toBe('bad_reply');
      });
    }
  });
});

describe('a reply that comes in pieces', () => {
  const chunked =
    (pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void, cancel = () => {}) =>
    async () =>
      new Response(new ReadableStream({ pull, cancel }), { status: 200 });

  it('is whole again, also where a piece ends in the middle of a character', () => {
    const bytes = new TextEncoder().encode('{"id":"key_1","name":"Schlüssel 🐝"}');
    let at = 0;
    const byByte = chunked((controller) => {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at + 1));
      else controller.close();
      at += 1;
    });
    return play(
      [],
      async ({ client }) => expect((await client.keys.get('key_1')).name).toBe('Schlüssel 🐝'),
      {
        fetch: byByte,
      },
    );
  });

  it('is given up when it does not end', () => {
    const chunk = new Uint8Array(4 * 1024 * 1024).fill(0x20);
    let cancelled = false;
    const endless = chunked(
      (controller) => controller.enqueue(chunk),
      () => {
        cancelled = true;
      },
    );
    return play(
      [],
      async ({ client }) => {
        const error = await failureOf(client.keys.get('key_1'));
        expect(error).toMatchObject({ code: 'bad_reply', message: expect.stringContaining('longer than') });
        expect(cancelled).toBe(true);
      },
      { fetch: endless },
    );
  });
});
