import { mintKeyString } from '@keyswarm/core';
import { expect, test } from 'vitest';
import { systemRandom } from '../runtime/random.ts';
import { createLog, type Log } from './log.ts';

const secret = mintKeyString('orders', (count) => systemRandom.bytes(count));

function written(write: (log: Log) => void): string {
  const lines: string[] = [];
  write(createLog('debug', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

test('a line says when, how severe and what', () => {
  const line = JSON.parse(written((log) => log.warn({ shards: 4 }, 'odd')));
  expect(line).toMatchObject({ level: 'warn', name: 'keyswarm', shards: 4, msg: 'odd' });
  expect(Date.parse(line.time)).not.toBeNaN();
});

test('what the contract calls a secret is masked by its place', () => {
  const text = written((log) => {
    log.info({ body: { key: 'a-foreign-secret' }, reply: { secret: 'another' } }, 'x');
    log.info({ request: { headers: { authorization: 'Bearer foreign' } } }, 'x');
  });
  for (const value of ['a-foreign-secret', 'another', 'Bearer foreign']) expect(text).not.toContain(value);
});

test('a line in which a key string stands anywhere is withheld', () => {
  const text = written((log) => {
    log.error({ err: new Error(`duplicate ${secret}`) }, 'failed');
    log.info({ note: secret }, secret);
  });
  expect(text).not.toContain(secret);
  expect(text.split('\n').filter(Boolean)).toHaveLength(2);
});

test('of an error its kind, text and cause are told, not what hangs on it', () => {
  const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { params: ['private'] });
  const text = written((log) => log.error({ err: error }, 'failed'));
  expect(JSON.parse(text).err).toMatchObject({
    name: 'Error',
    message: 'outer',
    cause: { message: 'inner' },
  });
  expect(text).not.toContain('private');
});

test('nobody forges a line', () => {
  const text = written((log) => log.info({ note: 'a\r\n{"level":"fatal"}\u2028' }, 'x'));
  expect(text.trimEnd().split(/\r|\n/)).toHaveLength(1);
});
