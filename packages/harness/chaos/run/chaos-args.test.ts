import { describe, expect, it } from 'vitest';
import { scenarios } from '../scenarios/scenarios.ts';
import { readChaosArgs } from './chaos-args.ts';

const read = (...args: string[]) => readChaosArgs(args, scenarios);

describe('what keyswarm chaos may be told', () => {
  it('a scenario that there is not is answered with those there are', () => {
    expect(() => read('--scenario', 'meteorite')).toThrow(
      /"meteorite"; there are verifier-kill, .*webhook-backlog/,
    );
  });

  it('each option says what it expected', () => {
    expect(() => read('--minutes', 'long')).toThrow(
      '--minutes: expected a number from 0.1 to 1440, got "long"',
    );
    expect(() => read('--seed', '1.5')).toThrow('--seed: expected a whole number');
    expect(() => read('--sed', '1')).toThrow('--sed');
  });

  it('without a seed one is drawn, so that it can be told', () => {
    const command = read();
    if (command.kind !== 'run') throw new Error('nothing to run');
    expect(command.options.seed).toBeGreaterThanOrEqual(0);
    expect(command.options.scenarios).toEqual(scenarios);
  });

  it('what was found before is played with the seed that found it', () => {
    const command = read('--regressions');
    if (command.kind !== 'run') throw new Error('nothing to run');
    expect(command.options.scenarios.map(({ name }) => name)).toContain('poison-event');
    expect(command.options.seedOf.get('poison-event')).toBe(7);
  });

  it('every scenario has a name of its own, something that has to happen', () => {
    const names = scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { sometimes } of scenarios) expect(sometimes.length).toBeGreaterThan(0);
  });
});
