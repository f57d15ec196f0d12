import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { statementNamesMax } from '../limits.ts';
import type { Store } from '../storage/store.ts';
import { StatementCounts } from './statement-counts.ts';

const silent: Store = {
  query: async () => [],
  transaction: (work) => work({ query: async () => [] }),
  close: async () => {},
};

test('every statement is counted by its name, inside a transaction and outside', async () => {
  const counts = new StatementCounts();
  const registry = new Registry();
  counts.register(registry);
  const store = counts.over(silent);
  await store.query({ name: 'read_heads', text: '' });
  await store.transaction(async (tx) => {
    await tx.query({ name: 'read_heads', text: '' });
    await tx.query({ name: '', text: 'create table t ()' });
  });
  const text = await registry.metrics();
  expect(text).toContain('keyswarm_store_statements_total{statement="read_heads"} 2');
  expect(text).toContain('keyswarm_store_statements_total{statement="other"} 1');
});

test('names do not become series without end', async () => {
  const counts = new StatementCounts();
  const registry = new Registry();
  counts.register(registry);
  const store = counts.over(silent);
  for (let at = 0; at < 2 * statementNamesMax; at += 1)
    await store.query({ name: `made_up_${at}`, text: '' });
  const series = (await registry.metrics()).split('\n').filter((line) => line.includes('{statement='));
  expect(series).toHaveLength(statementNamesMax);
});
