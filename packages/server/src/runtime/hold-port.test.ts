import { expect, test } from 'vitest';
import { holdPort } from './hold-port.ts';

test('a port is held by one at a time, an address each, and is free again when it is let go', async () => {
  if (process.platform !== 'linux') return;
  const place = { host: '127.0.0.1', port: 1 };
  const letGo = await holdPort(place);
  await expect(holdPort(place)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const letOtherGo = await holdPort({ host: '127.0.0.2', port: 1 });
  await letOtherGo();
  await letGo();
  await (await holdPort(place))();
});
