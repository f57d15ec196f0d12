import type { KeyspaceId, KeyspaceRecord, WorkspaceId } from '@keyswarm/core';
import { builtinKeyspace } from '@keyswarm/core';
import { expect, test } from 'vitest';
import { builtinKeyspaceId, workspaceIdOf } from '../access/named-ids.ts';
import { KeyspaceDirectory } from './keyspace-directory.ts';

const one = workspaceIdOf('one');
const two = workspaceIdOf('two');

class CountingReader {
  asked = 0;
  readonly known = new Map<string, KeyspaceRecord>();

  add(workspaceId: WorkspaceId, name: string): KeyspaceRecord {
    const id = builtinKeyspaceId(workspaceIdOf(`${workspaceId}${name}`));
    const record = { ...builtinKeyspace({ id, workspaceId }, 1), name };
    this.known.set(`${workspaceId} ${id}`, record);
    this.known.set(`${workspaceId} ${name}`, record);
    return record;
  }

  async keyspace(workspaceId: WorkspaceId, id: KeyspaceId) {
    this.asked += 1;
    return this.known.get(`${workspaceId} ${id}`);
  }

  /** Of the moment it was asked. */
  async keyspaceByName(workspaceId: WorkspaceId, name: string) {
    this.asked += 1;
    return this.known.get(`${workspaceId} ${name}`);
  }
}

test('a keyspace that was found is not asked for again, by id or by name', async () => {
  const reader = new CountingReader();
  const { id } = reader.add(one, 'orders');
  const directory = new KeyspaceDirectory(reader);
  expect(await directory.find(one, 'orders')).toMatchObject({ id, name: 'orders', isBuiltin: false });
  expect(await directory.find(one, id)).toMatchObject({ id });
  expect(reader.asked).toBe(1);
});

test('one that was not found is asked for again, since it may have been made meanwhile', async () => {
  const reader = new CountingReader();
  const directory = new KeyspaceDirectory(reader);
  expect(await directory.find(one, 'orders')).toBeUndefined();
  reader.add(one, 'orders');
  expect(await directory.find(one, 'orders')).toBeDefined();
});

test('callers that ask at once share a read, and one that came after its beginning does not take its no', async () => {
  const reader = new CountingReader();
  const directory = new KeyspaceDirectory(reader);
  const early = directory.find(one, 'orders');
  reader.add(one, 'orders');
  const late = directory.find(one, 'orders');
  expect(await Promise.all([early, late])).toMatchObject([undefined, { name: 'orders' }]);
  const fresh = new KeyspaceDirectory(reader);
  reader.asked = 0;
  await Promise.all(Array.from({ length: 100 }, () => fresh.find(one, 'orders')));
  expect(reader.asked).toBe(1);
});

test('a workspace never finds the keyspace of another one', async () => {
  const reader = new CountingReader();
  const { id } = reader.add(one, 'orders');
  const directory = new KeyspaceDirectory(reader);
  await directory.find(one, 'orders');
  expect(await directory.find(two, 'orders')).toBeUndefined();
  expect(await directory.find(two, id)).toBeUndefined();
});

test('what is remembered is bounded; the oldest goes first', async () => {
  const reader = new CountingReader();
  const directory = new KeyspaceDirectory(reader, 4);
  for (const name of ['a', 'b', 'c']) {
    reader.add(one, name);
    await directory.find(one, name);
  }
  await directory.find(one, 'c');
  expect(reader.asked).toBe(3);
  await directory.find(one, 'a');
  expect(reader.asked).toBe(4);
});
