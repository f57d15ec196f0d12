import { describe, expect, it } from 'vitest';
import { EventReader, pendingCharactersMax, type SentEvent } from './server-sent-events.ts';

const text = ': hello\n\nevent: frame\ndata: {"a":1}\n\nevent: end\r\ndata: x\r\ndata: y\r\n\r\ndata:z\n\n';
const whole: readonly SentEvent[] = [
  { event: 'frame', data: '{"a":1}' },
  { event: 'end', data: 'x\ny' },
  { event: 'message', data: 'z' },
];

describe('a stream of events', () => {
  it('gives the same events wherever its pieces end', () => {
    for (let first = 0; first <= text.length; first += 1) {
      for (let second = first; second <= text.length; second += 7) {
        const reader = new EventReader();
        const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        expect(
          pieces.flatMap((piece) => [...reader.read(piece)]),
          `${first} ${second}`,
        ).toEqual(whole);
      }
    }
  });

  it('gives nothing of an event that is not whole', () => {
    const reader = new EventReader();
    expect([...reader.read('event: frame\ndata: {"a"')]).toEqual([]);
  });

  it('tells of a place also where nothing happened there', () => {
    const reader = new EventReader();
    expect([...reader.read('id: a\ndata: 1\n\nid: b\n\n: nothing\n\n')]).toEqual([
      { event: 'message', data: '1', id: 'a' },
      { event: 'message', data: '', id: 'b' },
    ]);
  });

  it('is given up when an event of many short lines never ends', () => {
    const reader = new EventReader(1_000);
    expect(() => {
      for (let line = 0; line < 200; line += 1) for (const _ of reader.read('data: 0123\n'));
    }).toThrow('without an end');
  });

  it('is given up when a line never ends, before it fills the memory', () => {
    const reader = new EventReader();
    expect(() => [...reader.read('x'.repeat(pendingCharactersMax + 1))]).toThrow('without an end');
  });
});
