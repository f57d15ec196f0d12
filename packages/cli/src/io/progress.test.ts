import { describe, expect, it } from 'vitest';
import { formatProgress, startProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

describe('a progress bar', () => {
  it('says how much is done, how fast, and what is left', () => {
    expect(formatProgress('issuing', { done: 5_000, total: 10_000, elapsedMs: 2_000 })).toBe(
      'issuing  [############            ]  5,000 of 10,000  2,500/s  2s left',
    );
  });

  it('is full at the end, and does not divide by nothing', () => {
    expect(formatProgress('x', { done: 0, total: 0, elapsedMs: 0 })).toContain(
      `[${'#'.repeat(24)}]  0 of 0  0/s`,
    );
  });

  it('without a total says how many and how fast', () => {
    expect(formatProgress('verified', { done: 1_500, total: undefined, elapsedMs: 1_000 })).toBe(
      'verified  1,500  1,500/s',
    );
  });

  it('paints ten times a second at the most, and never when nobody watches', () => {
    const painted: string[] = [];
    const terminal = (watched: boolean): Terminal => ({
      watched,
      print: async () => {},
      say: () => {},
      warn: () => {},
      rewrite: (line) => painted.push(line),
      tone: (_, text) => text,
    });
    let nowMs = 0;
    const options = { label: 'x', total: 1_000, nowMs: () => nowMs };
    const bar = startProgress(terminal(true), options);
    for (nowMs = 0; nowMs < 1_000; nowMs += 1) bar.at(nowMs);
    expect(painted).toHaveLength(10);
    startProgress(terminal(false), options).at(5);
    expect(painted).toHaveLength(10);
  });
});
