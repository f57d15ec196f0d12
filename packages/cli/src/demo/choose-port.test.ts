import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { choosePort } from './choose-port.ts';

it('the port of a demonstration is the usual one if it is free, and another one if it is taken', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const place = { host: '127.0.0.1', port: (squatter.address() as AddressInfo).port };
  const other = await choosePort(place);
  expect(other).not.toBe(place.port);
  expect(other).toBeGreaterThan(0);
  squatter.close();
  await once(squatter, 'close');
  expect(await choosePort(place)).toBe(place.port);
});
