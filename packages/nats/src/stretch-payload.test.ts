import { BadFeedRow, type FeedStretch } from '@keyswarm/verifier';
import { describe, expect, test } from 'vitest';
import { feedMessageBytesMax } from './limits.ts';
import { messagesOf, stretchOfMessage } from './stretch-payload.ts';
import { TestPrimary } from './testing/test-primary.ts';

function sample(count: number): FeedStretch {
  const primary = new TestPrimary();
  const rows: FeedStretch['rows'][number][] = [];
  primary.onCommitted = (stretch) => rows.push(...stretch.rows);
  for (let issued = 0; issued < count; issued += 1) primary.issue();
  return {
    epoch: 1,
    shard: 2,
    after: 10,
    upTo: 10 + count,
    rows: rows.map((row, at) => ({ ...row, shard: 2, seq: 11 + at })),
  };
}

const changed = (payload: Uint8Array, from: string, to: string) =>
  new TextEncoder().encode(new TextDecoder().decode(payload).replace(from, to));

describe('a stretch as a message', () => {
  test('comes out as it went in, and is known by where it ends', () => {
    const stretch = sample(3);
    const messages = messagesOf(stretch);
    expect(messages.map(({ id, shard }) => [id, shard])).toEqual([['1.2.13', 2]]);
    expect(messages.map(({ payload }) => stretchOfMessage(payload))).toEqual([stretch]);
  });

  test('tells nothing of an event but its facts', () => {
    const stretch = sample(1);
    const rows = stretch.rows.map((row) => ({ ...row, data: { reason: 'found in a log' } }));
    const [message] = messagesOf({ ...stretch, rows });
    expect(new TextDecoder().decode(message?.payload)).not.toContain('found in a log');
  });

  test('is cut where it would be too long, into parts without a hole between them', () => {
    const stretch = sample(20);
    const parts = messagesOf(stretch, 2000).map(({ payload }) => stretchOfMessage(payload));
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.flatMap(({ rows }) => rows)).toEqual(stretch.rows);
    expect(parts.map(({ after }) => after)).toEqual([10, ...parts.slice(0, -1).map(({ upTo }) => upTo)]);
    expect(parts.at(-1)?.upTo).toBe(30);
  });

  test('keeps its end when its last rows are not for everybody', () => {
    const stretch = { ...sample(2), upTo: 50 };
    expect(messagesOf(stretch).map(({ payload }) => stretchOfMessage(payload).upTo)).toEqual([50]);
  });

  test('with a row that does not decode, or in a wrong place, names its shard and place', () => {
    const [message] = messagesOf(sample(2));
    const payload = message?.payload ?? new Uint8Array();
    expect(() => stretchOfMessage(changed(payload, '"seq":12', '"seq":14'))).toThrow(BadFeedRow);
    expect(() => stretchOfMessage(changed(payload, '"seq":12', '"seq":11'))).toThrow(BadFeedRow);
    expect(() => stretchOfMessage(changed(payload, '"v":1', '"v":99'))).toThrow(/v is not a format/);
  });

  test.each([
    ['no JSON', 'nonsense'],
    ['no object', '7'],
    ['null', 'null'],
    ['without ends', '{"epoch":1,"shard":0,"rows":[]}'],
    ['backwards', '{"epoch":1,"shard":0,"after":5,"up_to":4,"rows":[]}'],
    ['of a shard that can not be', '{"epoch":1,"shard":70000,"after":5,"up_to":6,"rows":[]}'],
  ])('that is %s is refused', (_, text) => {
    expect(() => stretchOfMessage(new TextEncoder().encode(text))).toThrow(Error);
  });

  test('is not even parsed when it is longer than any that is sent', () => {
    const payload = new Uint8Array(feedMessageBytesMax * 2 + 1).fill(0x20);
    expect(() => stretchOfMessage(payload)).toThrow(/too long/);
  });
});
