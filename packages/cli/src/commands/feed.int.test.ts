import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCaptured } from '../testing/run-captured.ts';
import { spawnCommand, startServerCommand } from '../testing/spawn-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-epoch-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('begins a new epoch in a store whose server is down, and the server goes on in it', async () => {
  const dataDir = join(folder, 'a');
  const first = await startServerCommand(dataDir, {});
  first.child.kill('SIGTERM');
  await first.ended;
  const epochs: number[] = [];
  for (let times = 0; times < 2; times += 1) {
    const begun = await spawnCommand(['feed', 'new-epoch', '--yes', '--data-dir', dataDir, '--json'], {})
      .ended;
    expect(begun.code, begun.stderr).toBe(0);
    epochs.push(JSON.parse(begun.stdout.trim().split('\n').at(-1) ?? '').epoch);
  }
  expect(epochs[0]).toBeGreaterThan(1_000_000_000);
  expect(epochs[1]).toBeGreaterThan(epochs[0] ?? 0);
  const second = await startServerCommand(dataDir, {});
  second.child.kill('SIGTERM');
  expect((await second.ended).code).toBe(0);
});

it('does nothing without --yes', async () => {
  const refused = await runCaptured(['feed', 'new-epoch'], { variables: {} });
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
});
