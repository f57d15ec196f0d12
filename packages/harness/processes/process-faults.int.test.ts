import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { leavesOut } from './leaves-out.ts';
import { factsOf, isAlive, sendSignal, treeOf } from './process-tree.ts';
import { noWallClocks, wallClock } from './wall-clock.ts';

const groups: number[] = [];
afterEach(() => {
  for (const pid of groups.splice(0)) sendSignal(-pid, 'SIGKILL');
});

describe('a process and its children', () => {
  it('stand still, go on, and end together', async () => {
    const child = spawn('sh', ['-c', 'sh -c "sleep 600 & wait" & wait'], { detached: true, stdio: 'ignore' });
    const pid = child.pid ?? 0;
    groups.push(pid);
    const ended = once(child, 'exit');
    await expect.poll(() => treeOf(pid)).toHaveLength(3);
    const tree = treeOf(pid);
    const states = () => new Set(tree.map((one) => factsOf(one)?.state));
    sendSignal(-pid, 'SIGSTOP');
    await expect.poll(states).toEqual(new Set(['T']));
    sendSignal(-pid, 'SIGCONT');
    await expect.poll(states).toEqual(new Set(['S']));
    sendSignal(-pid, 'SIGSTOP');
    sendSignal(-pid, 'SIGKILL');
    await ended;
    await expect.poll(() => tree.filter(isAlive)).toEqual([]);
  });
});

const missing = noWallClocks();
describe.skipIf(leavesOut(missing))('a wall clock that is set wrong', () => {
  it('is an hour ahead for that process, whose monotonic clock is the one of the machine', async () => {
    const script = 'console.log(JSON.stringify([Date.now(), Number(process.hrtime.bigint() / 1000000n)]))';
    const before = [Date.now(), Number(process.hrtime.bigint() / 1_000_000n)] as const;
    const child = spawn(process.execPath, ['--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...wallClock({ offset: '+3600s' }) },
    });
    const [bytes] = (await once(child.stdout, 'data')) as [Buffer];
    const [wallMs, monotonicMs] = JSON.parse(bytes.toString()) as [number, number];
    const elapsedMs = Number(process.hrtime.bigint() / 1_000_000n) - before[1];
    expect(wallMs - before[0]).toBeGreaterThanOrEqual(3_600_000 - 1000);
    expect(wallMs - before[0]).toBeLessThanOrEqual(3_600_000 + elapsedMs + 1000);
    expect(monotonicMs).toBeGreaterThanOrEqual(before[1]);
    expect(monotonicMs - before[1]).toBeLessThanOrEqual(elapsedMs);
  });
});
