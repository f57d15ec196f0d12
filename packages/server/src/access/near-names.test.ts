import { describe, expect, it } from 'vitest';
import { nearNames } from './near-names.ts';

const names = ['orders-live', 'orders-test', 'billing', 'abc', 'users'];

describe('a name that was mistyped', () => {
  it.each([
    ['ordrs-live', ['orders-live']],
    ['order-slive', ['orders-live']],
    ['orders_live', ['orders-live']],
    ['orders', ['orders-live', 'orders-test']],
    ['user', ['users']],
    ['biling', ['billing']],
  ])('%s is found near %j', (given, near) => {
    expect(nearNames(given, names)).toEqual(near);
  });

  it.each(['payments', 'xyz', 'ab', ''])(
    '%j is near nothing, rather than near everything that is short',
    (given) => {
      expect(nearNames(given, names)).toEqual([]);
    },
  );

  it('gets a few of many, the nearest first', () => {
    const many = Array.from({ length: 50 }, (_, number) => `orders-${number}`);
    expect(nearNames('orders-7x', ['orders-7', ...many])).toHaveLength(3);
    expect(nearNames('orders-7x', many)[0]).toBe('orders-7');
  });
});
