import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { withSection } from '../markdown/write-section.ts';
import { commandText, readBenchArgs } from './bench-args.ts';
import { BenchError } from './bench-error.ts';
import { runOpen } from './open-run.ts';
import { readResult } from './run-and-report.ts';
import { plotSvg } from './svg-plot.ts';
import { attachTarget } from './target.ts';
import { Workload } from './workload.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

function serve(answer: (body: string) => { status: number; code: string }): Promise<number> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const { status, code } = answer(body);
      const text = JSON.stringify({ code });
      response.writeHead(status, { 'content-length': text.length });
      response.end(text);
    });
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}

const plan = {
  host: '127.0.0.1',
  managementKey: 'k',
  keyspace: 'bench',
  mix: 'verify',
  good: [{ secret: 'good', code: 'valid' }],
  bad: [{ secret: 'bad', code: 'revoked' }],
  badShare: 0.5,
  pool: [],
} as const;

async function load(port: number) {
  const options = {
    host: '127.0.0.1',
    port,
    connections: 4,
    schedule: 'constant',
    segments: [{ perSecond: 400, seconds: 0.25 }],
    seed: 1,
    phase: 0,
  } as const;
  return runOpen(options, new Workload(plan, Math.random));
}

describe('the open loop', () => {
  it('takes every request that was due to one end, and notices a verdict that is not that of its key', async () => {
    const right = await load(
      await serve((body) => ({ status: 200, code: body.includes('good') ? 'valid' : 'revoked' })),
    );
    expect(right).toMatchObject({ offered: 100, wrong: 0, failed: 0, shed: 0 });
    expect(right.ok + right.late + right.unsent).toBe(100);
    const lax = await load(await serve(() => ({ status: 200, code: 'valid' })));
    expect(lax.wrong).toBeGreaterThan(0);
    expect(lax.ok + lax.late + lax.wrong + lax.unsent).toBe(100);
  });

  it('counts 429 and 503 as shed, and everything else that is no success as failed, by what was said', async () => {
    const shed = await load(await serve(() => ({ status: 503, code: 'overloaded' })));
    expect(shed.refusals['503 overloaded']).toBe(shed.shed);
    expect(shed.shed + shed.unsent).toBe(100);
    const failed = await load(await serve(() => ({ status: 500, code: 'internal' })));
    expect(failed.failed + failed.unsent).toBe(100);
  });

  it('ends when nobody answers at all', async () => {
    const port = await serve(() => ({ status: 200, code: 'valid' }));
    for (const server of servers.splice(0)) server.close();
    const gone = await load(port);
    expect(gone.ok).toBe(0);
    expect(gone.failed + gone.unsent).toBe(100);
  });
});

describe('what the bench may be told', () => {
  it.each([
    [['--levels', '0'], '--levels: expected a number from 1 to 1000, got "0"'],
    [['--levels', '50,,100'], '--levels: expected a number'],
    [['--levels', '12.5'], '--levels: expected a whole number'],
    [['--mix', 'write'], '--mix: expected verify, issue'],
    [['--store', 'mysql'], '--store: expected embedded, postgres'],
    [['--seconds', 'ten'], '--seconds: expected a number'],
    [['--seconds', ''], '--seconds: expected a number'],
    [['--connections', '1', '--generators', '2'], '--connections: expected at least one'],
    [['--url', 'http://127.0.0.1:1', '--workers', '2'], '--url: the store and the workers'],
    [['--nonsense'], '--nonsense'],
    [['stray'], 'stray'],
    [['compare', 'one.json'], 'expected two files'],
  ])('%j is refused with what was expected', (args, message) => {
    expect(() => readBenchArgs(args)).toThrow(BenchError);
    expect(() => readBenchArgs(args)).toThrow(message);
  });

  it('levels are sorted and taken once', () => {
    expect(readBenchArgs(['--levels', '200,50,200,100'])).toMatchObject({
      options: { levels: [50, 100, 200] },
    });
  });
});

it('a report tells how to measure again, and not where it was put', () => {
  const args = ['--mix', 'verify', '--out', '/here/a.json', '--html=/here/a.html', '--seconds', '3'];
  expect(commandText(args)).toBe('npm run bench -- --mix verify --seconds 3');
});

describe('a server that can not be measured', () => {
  it('is told apart: down, not ready, no key, not plain HTTP', async () => {
    const port = await serve(() => ({ status: 503, code: 'draining' }));
    await expect(attachTarget(`http://127.0.0.1:${port}`, 'k')).rejects.toThrow(
      'is not ready (/readyz answers 503)',
    );
    for (const server of servers.splice(0)) server.close().closeAllConnections();
    await expect(attachTarget(`http://127.0.0.1:${port}`, 'k')).rejects.toThrow('nothing answers');
    await expect(attachTarget(`http://127.0.0.1:${port}`, undefined)).rejects.toThrow('KEYSWARM_KEY');
    await expect(attachTarget('ftp://example.test', 'k')).rejects.toThrow('expected http://');
  });
});

describe('what is written', () => {
  it('a file that the bench did not write is refused by name', async () => {
    const path = join(folder, 'other.json');
    writeFileSync(path, '{"version": 99}');
    await expect(readResult(path)).rejects.toThrow(path);
    await expect(readResult(join(folder, 'absent.json'))).rejects.toThrow('no such file');
  });

  it('a section of a page is replaced, and what stands around it stays', () => {
    const page = 'before\n\n<!-- a:begin -->\nold\n<!-- a:end -->\n\nafter\n';
    const written = withSection(page, 'a', 'new');
    expect(written).toBe('before\n\n<!-- a:begin -->\n\nnew\n\n<!-- a:end -->\n\nafter\n');
    expect(withSection(written, 'b', 'more')).toContain('<!-- b:begin -->\n\nmore');
    expect(withSection(written, 'a', 'new')).toBe(written);
  });

  it('a plot escapes what it is told and draws no figure that is none', () => {
    const svg = plotSvg({
      title: '<script>',
      xLabel: 'x',
      yLabel: 'y',
      lines: [
        {
          label: 'a"b',
          tone: 'a',
          points: [
            [1, 2],
            [2, Number.NaN],
          ],
        },
      ],
    });
    expect(svg).not.toContain('<script>');
    expect(svg).not.toContain('NaN');
  });
});
