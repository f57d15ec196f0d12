import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { turnMsMax } from '../limits.ts';
import { LoopTurns } from './loop-turns.ts';

class Connection {
  isPaused = false;
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
}

test('who asks in a turn that has taken its time is left alone until the next, and nobody else is', async () => {
  let nowMs = 5;
  const turns = new LoopTurns(() => nowMs);
  const [first, inTime, late, later] = Array.from({ length: 4 }, () => new Connection());
  const ask = (connection: Connection | undefined) => connection && turns.asked(connection);
  ask(first);
  nowMs += turnMsMax;
  ask(inTime);
  nowMs += 1;
  ask(late);
  ask(late);
  const paused = () => [first, inTime, late, later].map((one) => one?.isPaused);
  expect(paused()).toEqual([false, false, true, false]);
  await setImmediate();
  expect(paused()).toEqual([false, false, false, false]);
  nowMs += 10 * turnMsMax;
  ask(later);
  expect(paused()).toEqual([false, false, false, false]);
  await setImmediate();
});
