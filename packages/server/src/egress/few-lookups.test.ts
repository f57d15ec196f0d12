import { expect, test } from 'vitest';
import { fewLookups } from './few-lookups.ts';
import type { Resolve } from './guarded-lookup.ts';

const address = [{ address: '203.0.114.1', family: 4 }];

/** Names that are answered when the test says so. */
function heldLookups(atOnceMax: number) {
  const asked = new Map<string, Parameters<Resolve>[1]>();
  const told: string[] = [];
  const resolve = fewLookups((hostname, settle) => void asked.set(hostname, settle), atOnceMax);
  const ask = (hostname: string) => resolve(hostname, () => void told.push(hostname));
  const answer = (hostname: string) => asked.get(hostname)?.(null, address);
  return { asked, told, ask, answer };
}

test('names that are not answered take no more threads than they may, and the next has its turn', () => {
  const { asked, told, ask, answer } = heldLookups(2);
  for (const name of ['slow-1', 'slow-2', 'slow-3', 'quick']) ask(name);
  expect([...asked.keys()]).toEqual(['slow-1', 'slow-2']);
  answer('slow-1');
  answer('slow-3');
  answer('quick');
  expect(told).toEqual(['slow-1', 'slow-3', 'quick']);
});

test('a name is looked up once for all who wait for it, and anew for who comes later', () => {
  const { asked, told, ask, answer } = heldLookups(1);
  for (const name of ['one', 'two', 'one', 'two']) ask(name);
  expect([...asked.keys()]).toEqual(['one']);
  answer('one');
  answer('two');
  expect(told).toEqual(['one', 'one', 'two', 'two']);
  asked.clear();
  ask('one');
  expect(asked.has('one')).toBe(true);
});
