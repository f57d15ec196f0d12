import { expect, test } from 'vitest';
import { MessageBuffer } from './message-buffer.ts';

const waiting = (upTo: number, bytes = 10) => ({
  message: { shard: 0, id: `1.0.${upTo}`, payload: new Uint8Array(bytes) },
  attempts: 0,
});
const ids = (buffer: MessageBuffer) => {
  const seen: string[] = [];
  for (let one = buffer.shift(); one !== undefined; one = buffer.shift()) seen.push(one.message.id);
  return seen;
};

test('gives back in order what it was given, and counts nothing as dropped', () => {
  const buffer = new MessageBuffer();
  for (const upTo of [1, 2, 3]) buffer.push(waiting(upTo));
  expect([buffer.length, ids(buffer), buffer.dropped]).toEqual([3, ['1.0.1', '1.0.2', '1.0.3'], 0]);
});

test('past its bound of messages it drops the oldest, and counts them', () => {
  const buffer = new MessageBuffer({ messagesMax: 2, bytesMax: 1000 });
  for (const upTo of [1, 2, 3, 4]) buffer.push(waiting(upTo));
  expect([ids(buffer), buffer.dropped]).toEqual([['1.0.3', '1.0.4'], 2]);
});

test('past its bound of bytes as well, and one that can never fit is dropped itself', () => {
  const buffer = new MessageBuffer({ messagesMax: 100, bytesMax: 25 });
  for (const upTo of [1, 2, 3]) buffer.push(waiting(upTo));
  expect(buffer.dropped).toBe(1);
  buffer.push(waiting(4, 26));
  expect([buffer.length, buffer.dropped]).toEqual([0, 4]);
  buffer.push(waiting(5));
  expect(ids(buffer)).toEqual(['1.0.5']);
});
