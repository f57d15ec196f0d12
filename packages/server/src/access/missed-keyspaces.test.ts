import { expect, test } from 'vitest';
import { missedKeyspaceMs } from '../limits.ts';
import { MissedKeyspaces } from './missed-keyspaces.ts';
import { defaultWorkspaceId, newKeyspaceId } from './named-ids.ts';

test('a keyspace that is not there is looked for once a second, and one that is there is always found', async () => {
  let nowMs = 0;
  const asked: string[] = [];
  const there = new Map([['here', { id: idOf('here'), name: 'here' }]]);
  const find = async (_: unknown, name: string) => {
    asked.push(name);
    return there.get(name);
  };
  const seen = new MissedKeyspaces({ find }, { monotonicMs: () => nowMs });
  const found = async (name: string) => (await seen.find(defaultWorkspaceId, name))?.name;
  for (let time = 0; time < 5; time += 1) expect(await found('later')).toBeUndefined();
  expect(asked).toEqual(['later']);
  there.set('later', { id: idOf('later'), name: 'later' });
  nowMs += missedKeyspaceMs - 1;
  expect(await found('later')).toBeUndefined();
  nowMs += 1;
  expect(await found('later')).toBe('later');
  there.delete('later');
  expect(await found('later')).toBeUndefined();
  expect(await found('here')).toBe('here');
});

function idOf(name: string) {
  return newKeyspaceId(defaultWorkspaceId, name, {
    nowMs: 0,
    random: { bytes: (count) => new Uint8Array(count) },
  });
}
