import { describe, expect, it } from 'vitest';
import { failureOf, play } from '../testing/play.ts';
import { problemStep, type Step } from '../testing/scripted-server.ts';

const frame = (versions: number): string =>
  `event: frame\ndata: ${JSON.stringify({ verdicts: {}, lanes: { depths: [] }, versions })}\n\n`;
const stream = (text: string): Step => ({
  status: 200,
  text,
  headers: { 'content-type': 'text/event-stream' },
});

async function walk(step: Step) {
  return await play([step], async ({ client, server }) => {
    const seen: number[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const { versions } of client.live()) seen.push(versions);
      })(),
    );
    return { seen, failure, asked: server.seen };
  });
}

describe('watching the flow', () => {
  it('gives frame by frame, and says of an end that it is one, so that nobody takes a standstill for quiet', async () => {
    const { seen, failure } = await walk(stream(frame(1) + frame(2)));
    expect(seen).toEqual([1, 2]);
    expect(failure).toMatchObject({ code: 'unreachable', retryable: true });
  });

  it('ends with the reason that the server gives: a key that was revoked meanwhile is not tried again', async () => {
    const end = 'event: end\ndata: {"code":"unauthenticated","detail":"Send a valid management key."}\n\n';
    const { seen, failure } = await walk(stream(frame(1) + end));
    expect(seen).toEqual([1]);
    expect(failure).toMatchObject({ code: 'unauthenticated', retryable: false });
  });

  it('throws the problem that it is refused with, asks once, and sends the key in the header', async () => {
    const { failure, asked } = await walk(problemStep(403, 'forbidden', { expected: 'metrics:read' }));
    expect(failure).toMatchObject({ code: 'forbidden', expected: 'metrics:read' });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.headers.authorization).toMatch(/^Bearer keyswarm_/);
    expect(asked[0]?.url).toBe('/v1/live');
  });

  it.each([
    'event: frame\ndata: nonsense\n\n',
    'event: frame\ndata: {"verdicts":1}\n\n',
    'event: end\ndata: 1\n\n',
  ])('takes nothing for a frame that is none: %j', async (text) => {
    const { seen, failure } = await walk(stream(text));
    expect(seen).toEqual([]);
    expect(failure.code).toBe('bad_reply');
  });
});
