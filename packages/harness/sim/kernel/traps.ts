/*
 * What a simulation must not reach: the machine's own clock, timers and chance. They are replaced while it runs by
 * functions that throw, and a turn of the event loop by one of the scheduler's. (Chance of `node:crypto` is imported by
 * name and can't be shut; the same seed is run twice by a test, which would tell.)
 */
export function closeTheHouse(turn: (run: () => void) => void): () => void {
  const kept = {
    now: Date.now,
    random: Math.random,
    setTimeout: globalThis.setTimeout,
    setInterval: globalThis.setInterval,
    setImmediate: globalThis.setImmediate,
    performanceNow: performance.now,
  };
  const shut = (name: string) => () => {
    throw new Error(`${name} is not simulated: time and chance come in through ports`);
  };
  Date.now = shut('Date.now');
  Math.random = shut('Math.random');
  performance.now = shut('performance.now');
  Object.assign(globalThis, {
    setTimeout: shut('setTimeout'),
    setInterval: shut('setInterval'),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => turn(() => run(...args)),
  });
  return () => {
    Date.now = kept.now;
    Math.random = kept.random;
    performance.now = kept.performanceNow;
    const { setTimeout, setInterval, setImmediate } = kept;
    Object.assign(globalThis, { setTimeout, setInterval, setImmediate });
  };
}
