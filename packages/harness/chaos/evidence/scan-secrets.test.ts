import { randomBytes } from 'node:crypto';
import { mintKeyString } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { canaryLength, SecretScan } from './scan-secrets.ts';

describe('the search for secrets', () => {
  const secret = mintKeyString('orders_live', randomBytes);
  const found = (text: string) => {
    const scan = new SecretScan();
    scan.add(secret, 'key 1');
    scan.scan('a log', text);
    return scan.result().found;
  };
  const random = secret.slice('orders_live_'.length, 'orders_live_'.length + canaryLength);

  it('finds it whole, cut down to its random part, and in the midst of something longer', () => {
    for (const text of [secret, `"key":"${secret}"`, random, `abc${random}xyz`, `${secret.slice(0, -5)}\n`])
      expect(found(text)).toEqual([{ where: 'a log', of: 'key 1' }]);
  });

  it('finds it as bytes of a database and in base64, wherever in it it stands', () => {
    expect(found(`\\x${Buffer.from(secret).toString('hex')}`)).toHaveLength(1);
    for (const before of ['', 'a', 'ab', 'abc'])
      expect(found(Buffer.from(`${before}${secret} and more`).toString('base64'))).toHaveLength(1);
  });

  it('finds nothing in another secret, in its fingerprint, or in a part that is shorter', () => {
    expect(found(mintKeyString('orders_live', randomBytes))).toEqual([]);
    expect(found(random.slice(1))).toEqual([]);
    expect(found(randomBytes(4096).toString('hex'))).toEqual([]);
  });
});
