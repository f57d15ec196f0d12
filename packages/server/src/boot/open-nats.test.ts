import type { FeedRow } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import { isBrokerLinkSafe } from '../config/check-safety.ts';
import { ConfigError } from '../config/config-error.ts';
import { createLog } from '../logging/log.ts';
import { openNatsLink, stretchesOf } from './open-nats.ts';

const log = createLog('silent');
const row = (shard: number, seq: number, epoch = 1) => ({ epoch, shard, seq }) as FeedRow;
const ends = (...rows: readonly FeedRow[]) =>
  stretchesOf(rows).map(({ epoch, shard, after, upTo, rows: { length } }) => [
    epoch,
    shard,
    after,
    upTo,
    length,
  ]);

describe('rows that were committed', () => {
  test('are published as one stretch as long as they follow each other, and never with a hole in one', () => {
    expect(ends(row(1, 5), row(1, 6), row(1, 7))).toEqual([[1, 1, 4, 7, 3]]);
    expect(ends(row(1, 5), row(1, 7))).toEqual([
      [1, 1, 4, 5, 1],
      [1, 1, 6, 7, 1],
    ]);
    expect(ends(row(1, 5), row(2, 6), row(2, 7, 2))).toEqual([
      [1, 1, 4, 5, 1],
      [1, 2, 5, 6, 1],
      [2, 2, 6, 7, 1],
    ]);
    expect(ends()).toEqual([]);
  });
});

describe('the way to a broker', () => {
  test.each([
    ['nats://127.0.0.1:4222', true],
    ['nats://localhost:4222,nats://[::1]:4223', true],
    ['nats://broker.internal:4222', false],
    ['nats://127.0.0.1:4222,nats://broker.internal:4222', false],
    ['tls://user:password@broker.internal:4222', true],
  ])('%s is safe: %s', (servers, safe) => {
    expect(isBrokerLinkSafe(servers)).toBe(safe);
  });

  test('is none where no broker is set', () => {
    expect(openNatsLink({ natsServers: null, natsCredentialsFile: null }, 'test', log)).toBeUndefined();
  });

  test('that can not be read is refused by name, without what it holds', () => {
    const open = (natsServers: string, natsCredentialsFile: string | null) => () =>
      openNatsLink({ natsServers, natsCredentialsFile }, 'test', log);
    expect(open('nats://user:hidden@a:99999', null)).toThrow(ConfigError);
    expect(open('nats://user:hidden@a:99999', null)).not.toThrow(/hidden/);
    expect(open('nats://a', '/nowhere/server.creds')).toThrow(/KEYSWARM_NATS_CREDENTIALS_FILE/);
  });
});
