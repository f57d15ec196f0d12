import { expect, test } from 'vitest';
import { workerGrownMs, workerPauseMsMax, workerPauseMsMin, workerYoungDeathsMax } from '../limits.ts';
import { RestartPolicy } from './restart-policy.ts';

const young = { livedMs: 0, hasElder: true, chance: 0.5 };

test('the pause doubles with each death that comes too soon, up to its bound', () => {
  const policy = new RestartPolicy();
  const pauses = Array.from({ length: 20 }, () => Number(policy.died({ ...young, chance: 1 })));
  expect(pauses[0]).toBe(workerPauseMsMin);
  expect(pauses[1]).toBe(2 * workerPauseMsMin);
  expect(pauses.at(-1)).toBe(workerPauseMsMax);
});

test('a worker that had lived long enough is back at once, whatever came before', () => {
  const policy = new RestartPolicy();
  for (let death = 0; death < 20; death += 1) policy.died(young);
  expect(policy.died({ ...young, livedMs: workerGrownMs, chance: 1 })).toBe(workerPauseMsMin);
  expect(policy.died({ ...young, hasElder: false, chance: 1 })).toBe(workerPauseMsMin);
});

test('the pause is drawn, and never almost nothing', () => {
  const drawn = [0, 0.5, 0.999].map((chance) => Number(new RestartPolicy().died({ ...young, chance })));
  expect(new Set(drawn).size).toBe(3);
  for (const pauseMs of drawn) expect(pauseMs).toBeGreaterThanOrEqual(workerPauseMsMin / 2);
});

test('deaths in a row give up only where nobody serves', () => {
  const policy = new RestartPolicy();
  for (let death = 1; death < workerYoungDeathsMax; death += 1) {
    expect(policy.died({ ...young, hasElder: false })).not.toBe('give_up');
  }
  expect(policy.died(young)).not.toBe('give_up');
  expect(policy.died({ ...young, hasElder: false })).toBe('give_up');
});
