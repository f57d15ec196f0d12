import { describe, expect, it } from 'vitest';
import { systemRuntime } from './system-runtime.ts';

describe('the time of the platform', () => {
  it('lets a pause be ended by its signal at once, with its reason', async () => {
    const stop = new AbortController();
    const pause = systemRuntime.sleep(3_600_000, stop.signal);
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(pause).rejects.toBe(reason);
    await expect(systemRuntime.sleep(3_600_000, stop.signal)).rejects.toBe(reason);
  });

  it('ends a pause by itself, and calls a timer off', async () => {
    let fired = false;
    const cancel = systemRuntime.setTimer(0, () => {
      fired = true;
    });
    cancel();
    await systemRuntime.sleep(1);
    expect(fired).toBe(false);
  });

  it('never gives the same Idempotency-Key twice', () => {
    const keys = new Set(Array.from({ length: 100 }, systemRuntime.newIdempotencyKey));
    expect(keys.size).toBe(100);
  });
});

describe('the client', () => {
  it('carries no schema library along', async () => {
    const { execFileSync } = await import('node:child_process');
    const script = `
      import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
      await import('@keyswarm/sdk');
      console.log(seen.join('\\n'));
    `;
    const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
    });
    expect(loaded).toContain('packages/sdk/src/client.ts');
    expect(loaded).not.toContain('typebox');
    expect(loaded).not.toContain('node:');
  });
});
