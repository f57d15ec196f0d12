import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import type { ProcessPort } from '../runtime/process.ts';
import { runServer } from './run-server.ts';

/* The process around the server, with everything but the process real. */

class FakeProcess implements ProcessPort {
  readonly variables: Readonly<Record<string, string>>;
  readonly platform = 'linux';
  printed = '';
  ended = Promise.withResolvers<number>();
  #stop: (signal: NodeJS.Signals) => void = () => {};
  #report: (error: unknown) => void = () => {};

  constructor(variables: Readonly<Record<string, string>>) {
    this.variables = variables;
  }

  print(text: string): void {
    this.printed += text;
  }

  onSignal(stop: (signal: NodeJS.Signals) => void): void {
    this.#stop = stop;
  }

  onBug(report: (error: unknown) => void): void {
    this.#report = report;
  }

  exit(code: number): void {
    this.ended.resolve(code);
  }

  signal(signal: NodeJS.Signals): void {
    this.#stop(signal);
  }

  bug(error: unknown): void {
    this.#report(error);
  }
}

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'keyswarm-run-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const start = async (): Promise<FakeProcess> => {
  const port = new FakeProcess({ KEYSWARM_DATA_DIR: join(dataDir, 'data'), KEYSWARM_LOG_LEVEL: 'silent' });
  await runServer({ port: '0' }, port);
  return port;
};

describe('the process', () => {
  test('shows the first key once, drains at SIGTERM, and ends well', async () => {
    const first = await start();
    expect(first.printed).toMatch(/^ {2}export KEYSWARM_KEY=keyswarm_[0-9A-Za-z]{34}$/m);
    first.signal('SIGTERM');
    expect(await first.ended.promise).toBe(0);
    const second = await start();
    expect(second.printed).toBe('');
    second.signal('SIGINT');
    expect(await second.ended.promise).toBe(0);
  }, 30_000);

  test('ends at once at a second signal, and at an error that nobody caught', async () => {
    const port = await start();
    port.bug(new Error('broken'));
    expect(await port.ended.promise).toBe(1);
    port.ended = Promise.withResolvers<number>();
    port.signal('SIGINT');
    port.signal('SIGINT');
    expect(await port.ended.promise).toBe(130);
    // This process goes on, so the drain that the second signal would have cut short comes to its end.
    port.ended = Promise.withResolvers<number>();
    expect(await port.ended.promise).toBe(0);
  }, 30_000);

  test('that is told to stop while it starts ends well, and has shown no key', async () => {
    const port = new FakeProcess({ KEYSWARM_DATA_DIR: join(dataDir, 'data'), KEYSWARM_LOG_LEVEL: 'silent' });
    const running = runServer({ port: '0' }, port);
    port.signal('SIGTERM');
    expect(await port.ended.promise).toBe(0);
    await running;
    expect(port.printed).toBe('');
    expect((await start()).printed).toContain('KEYSWARM_KEY');
  }, 30_000);

  test('does not start with a setting that is not known', async () => {
    const port = new FakeProcess({ KEYSWARM_DATADIR: dataDir });
    await expect(runServer({}, port)).rejects.toThrow(ConfigError);
  });
});
