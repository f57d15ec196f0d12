import { describe, expect, it } from 'vitest';
import { BulkFailure, type ChunkWork, runChunks } from './run-chunks.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Replies that the test gives when it likes. */
function manualReplies() {
  const open: { chunk: readonly number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const send = (chunk: readonly number[]) =>
    new Promise<string>((resolve, reject) => {
      open.push({ chunk, answer: () => resolve(chunk.join()), fail: reject });
    });
  return { open, send };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function workOf(over: Partial<ChunkWork<number, string>>, taken: string[]): ChunkWork<number, string> {
  return {
    items: numbers(10),
    chunkItems: 3,
    concurrency: 2,
    signal: new AbortController().signal,
    send: async (chunk) => chunk.join(),
    take: async (result) => {
      taken.push(result);
    },
    ...over,
  };
}

describe('bulk work', () => {
  it('hands results on in the order of the items, whatever the order of the replies', async () => {
    const { open, send } = manualReplies();
    const taken: string[] = [];
    const running = runChunks(workOf({ send, concurrency: 4 }, taken));
    while (open.length < 4) await turn();
    for (const each of open.toReversed()) each.answer();
    expect(await running).toEqual({ done: 10, interrupted: false });
    expect(taken).toEqual(['0,1,2', '3,4,5', '6,7,8', '9']);
  });

  it('keeps no more chunks under way than it was told', async () => {
    let underWay = 0;
    let worst = 0;
    const send = async (chunk: readonly number[]) => {
      underWay += 1;
      worst = Math.max(worst, underWay);
      await turn();
      underWay -= 1;
      return chunk.join();
    };
    await runChunks(workOf({ send, chunkItems: 1 }, []));
    expect(worst).toBe(2);
  });

  it('when interrupted sends nothing more, but hands on what was under way', async () => {
    const { open, send } = manualReplies();
    const taken: string[] = [];
    const controller = new AbortController();
    const running = runChunks(workOf({ send, signal: controller.signal }, taken));
    while (open.length < 2) await turn();
    controller.abort();
    for (const each of open) each.answer();
    expect(await running).toEqual({ done: 6, interrupted: true });
    expect(taken).toEqual(['0,1,2', '3,4,5']);
    expect(open).toHaveLength(2);
  });

  it('when a chunk fails says how much was done, and does not drop its neighbours', async () => {
    const { open, send } = manualReplies();
    const taken: string[] = [];
    const running = runChunks(workOf({ send, concurrency: 3 }, taken)).catch((error: unknown) => error);
    while (open.length < 3) await turn();
    open[1]?.fail(new Error('no'));
    open[2]?.answer();
    open[0]?.answer();
    await turn();
    open[3]?.answer();
    const failure = await running;
    expect(failure).toBeInstanceOf(BulkFailure);
    expect(failure).toMatchObject({ cause: new Error('no') });
    expect(taken.slice(0, 2)).toEqual(['0,1,2', '6,7,8']);
    expect((failure as BulkFailure).done).toBe(taken.join().split(',').length);
  });

  it('stops sending when nobody takes the results any more', async () => {
    let sent = 0;
    const send = async (chunk: readonly number[]) => {
      sent += 1;
      return chunk.join();
    };
    const take = async () => {
      throw new Error('closed');
    };
    await expect(runChunks(workOf({ send, take, items: numbers(1_000) }, []))).rejects.toThrow(BulkFailure);
    expect(sent).toBeLessThanOrEqual(3);
  });
});
