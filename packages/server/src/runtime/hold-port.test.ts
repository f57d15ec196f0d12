import { expect, test } from 'vitest';
import { holdPort } from './hold-port.ts';

/** Waits for nothing: `between` runs in place of each pause. */
const timers = (between: () => void = () => {}) => ({ timers: { sleep: async () => between() } });
const isLinux = process.platform === 'linux';

test.skipIf(!isLinux)('a port is held by one at a time, and another waits until it is let go', async () => {
  const letGo = await holdPort(1, timers());
  let looks = 0;
  const second = await holdPort(
    1,
    timers(() => {
      looks += 1;
      if (looks === 3) letGo();
    }),
  );
  expect(looks).toBeGreaterThanOrEqual(3);
  const other = await holdPort(2, timers());
  other();
  second();
});

test.skipIf(!isLinux)('who waits in vain is told what is in the way', async () => {
  const letGo = await holdPort(1, timers());
  await expect(holdPort(1, timers())).rejects.toMatchObject({
    code: 'EADDRINUSE',
    port: 1,
    holder: '@keyswarm/1',
  });
  letGo();
});
