import { Secret } from '@keyswarm/core';
import { expect, it } from 'vitest';
import { firstKeyBlock } from './first-key-block.ts';

it.each([
  ['127.0.0.1', null, 'http://127.0.0.1:7072'],
  ['0.0.0.0', null, 'http://127.0.0.1:7072'],
  ['::', null, 'http://[::1]:7072'],
  ['fd00::1', null, 'http://[fd00::1]:7072'],
  ['0.0.0.0', 'https://keys.example', 'https://keys.example'],
])('a server at %s that others know as %s tells a client %s', (host, publicUrl, url) => {
  const text = firstKeyBlock(new Secret('keyswarm_1'), { host, port: 7072, publicUrl });
  expect(text).toContain(`  export KEYSWARM_URL=${url}\n`);
});

it('an address is told only where the port is known', () => {
  const text = firstKeyBlock(new Secret('keyswarm_1'), { host: '127.0.0.1', port: 0, publicUrl: null });
  expect(text).toContain('export KEYSWARM_KEY=keyswarm_1\n');
  expect(text).not.toContain('KEYSWARM_URL');
});
