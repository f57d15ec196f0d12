import { describe, expect, test } from 'vitest';
import { natsAddress } from './nats-settings.ts';
import { subjectsOf } from './subjects.ts';

describe('addresses', () => {
  test('may be one or several, with and without scheme and port', () => {
    expect(natsAddress('nats://a:4223').servers).toEqual(['a:4223']);
    expect(natsAddress(' a:4223, nats://b ').servers).toEqual(['a:4223', 'b:4222']);
    expect(natsAddress(['nats://[::1]:4222']).servers).toEqual(['[::1]:4222']);
    expect(natsAddress('a').tls).toBe(false);
  });

  test('reach all by TLS when one asks for it', () => {
    expect(natsAddress('nats://a,tls://b').tls).toBe(true);
  });

  test('may say who we are, decoded', () => {
    const { authenticator, servers } = natsAddress('nats://relay:p%40ss@a:4222');
    expect(authenticator?.()).toEqual({ user: 'relay', pass: 'p@ss' });
    expect(servers).toEqual(['a:4222']);
    expect(natsAddress('nats://a').authenticator).toBeUndefined();
  });

  test.each([
    '',
    ' , ',
    'http://a',
    'nats://',
    'nats://a/path',
    'nats://user:secret@a:99999',
    'nats://a?x=1',
  ])('that can not be used are refused by their place, without their text: %j', (text) => {
    expect(() => natsAddress(text)).toThrow(/^servers(\[0\])?: expected/);
    expect(() => natsAddress(text)).not.toThrow(/secret/);
  });
});

describe('subjects', () => {
  test('begin with the prefix, and the name of the stream holds no dot', () => {
    const { feedAll, feedOf, lease, stream } = subjectsOf('prod.keyswarm');
    expect([feedAll, feedOf(3), lease, stream]).toEqual([
      'prod.keyswarm.feed.*',
      'prod.keyswarm.feed.3',
      'prod.keyswarm.lease',
      'prod_keyswarm_feed',
    ]);
  });

  test.each(['', 'a b', 'a.', '.a', 'a..b', '*', 'a.>', 'x'.repeat(33), 'a.b.c.d.e'])(
    'of a prefix that NATS would read otherwise are refused: %j',
    (prefix) => {
      expect(() => subjectsOf(prefix)).toThrow(/prefix: expected/);
    },
  );
});
