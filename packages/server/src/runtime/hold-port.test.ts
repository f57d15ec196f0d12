import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { holdPort } from './hold-port.ts';

const real = { timers: { sleep: (ms: number) => sleep(ms) } };
const isLinux = process.platform === 'linux';

test.skipIf(!isLinux)('a port is held by one at a time, and another waits until it is let go', async () => {
  const letGo = await holdPort(1, real);
  let isHeld = false;
  const second = holdPort(1, real).then((letSecondGo) => {
    isHeld = true;
    return letSecondGo;
  });
  await (await holdPort(2, real))();
  await sleep(20);
  expect(isHeld).toBe(false);
  letGo();
  (await second)();
});

test.skipIf(!isLinux)('who waits in vain is told what is in the way', async () => {
  const letGo = await holdPort(1, real);
  const patient = holdPort(1, { timers: { sleep: async () => {} } });
  await expect(patient).rejects.toMatchObject({
    code: 'EADDRINUSE',
    port: 1,
    holder: '@keyswarm/1',
  });
  letGo();
});
