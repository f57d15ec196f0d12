import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { History } from './history.ts';
import { readHistory } from './read-history.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function file(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyswarm-history-'));
  folders.push(folder);
  return join(folder, 'history.jsonl');
}
const ask = { kind: 'revoke', key: 1, keyspace: 'strict', at: 'server-1' } as const;
const ports = () => {
  let nowMs = 0;
  return { nowMs: () => (nowMs += 10), wallMs: () => nowMs };
};

describe('a history', () => {
  it('reads back from disk as it was', () => {
    const path = file();
    const history = new History(path, ports());
    const first = history.invoke(ask);
    history.invoke({ ...ask, key: 2 });
    history.settle(first, { outcome: 'ok', status: 200, code: '', result: { seq: '1.0.4' } });
    history.close();
    expect(readHistory(path)).toEqual(history.operations());
  });

  it('keeps what is unknown unknown: a lost reply, and one that came after the end', () => {
    const history = new History(undefined, ports());
    const lost = history.invoke(ask);
    const late = history.invoke({ ...ask, key: 2 });
    history.settle(lost, { outcome: 'unknown', status: 0, code: 'connection_lost' });
    history.close();
    history.settle(late, { outcome: 'ok', status: 200, code: '' });
    for (const { outcome, settledMs } of history.operations())
      expect([outcome, settledMs]).toEqual(['unknown', Number.POSITIVE_INFINITY]);
  });

  it('reads a file whose last line was cut by a crash', () => {
    const path = file();
    const history = new History(path, ports());
    history.invoke(ask);
    history.close();
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"e":"ok","id":0,"sett`);
    expect(readHistory(path)).toEqual(history.operations());
  });

  it('holds no secret, on disk or in memory', () => {
    const path = file();
    const history = new History(path, ports());
    const id = history.invoke({ ...ask, kind: 'issue' });
    history.settle(id, { outcome: 'ok', status: 201, code: '', result: { secretDigest: 'ab12' } });
    history.close();
    expect(readFileSync(path, 'utf8')).not.toMatch(/"secret"/);
  });
});
