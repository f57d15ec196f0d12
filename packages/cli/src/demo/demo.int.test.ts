import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@keyswarm/sdk';
import { afterAll, describe, expect, it } from 'vitest';
import { runCaptured } from '../testing/run-captured.ts';
import { spawnCommand } from '../testing/spawn-command.ts';

/* What a newcomer starts: an address that signs in, a swarm that tells what it sees, and nothing left afterwards. */

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-demo-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('keyswarm start --demo', () => {
  it('shows an address that signs in, issues and verifies by itself, and leaves nothing behind', async () => {
    const store = join(folder, 'tmp');
    mkdirSync(store);
    const { child, ended } = spawnCommand(['start', '--demo', '--port', '0'], {
      variables: { TMPDIR: store },
    });
    let said = '';
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (text: string) => {
        said += text;
        const [found] = /http:\/\/\S+\/#key=\S+(?=\n)/.exec(said) ?? [];
        if (found !== undefined) resolve(found);
      });
      void ended.then(({ stderr }) => reject(new Error(stderr)));
    });
    const [baseUrl = '', managementKey = ''] = address.split('/#key=');
    // Twice on the terminal would be once too often in a scrollback.
    expect(said.split(managementKey)).toHaveLength(2);
    const client = createClient({ baseUrl, managementKey });
    for await (const { demo, verdicts, verifiers } of client.live()) {
      expect(demo?.state).toBe('running');
      const stateOf = (id: string) => demo?.steps.find((step) => step.id === id)?.state;
      expect(demo?.steps.filter(({ state }) => state === 'failed')).toEqual([]);
      if (stateOf('issue') === 'done' && verifiers.total === 3 && (verdicts.valid ?? 0) > 0) break;
    }
    child.kill('SIGTERM');
    const { code } = await ended;
    expect(code).toBe(0);
    expect(readdirSync(store)).toEqual([]);
  });

  it.each([
    [['--data-dir', 'data'], {}],
    [[], { KEYSWARM_DATABASE_URL: 'postgres://localhost/orders' }],
  ])('is refused beside a store that somebody may need: %j %j', async (flags, variables) => {
    const { code, stderr } = await runCaptured(['start', '--demo', ...flags], { variables });
    expect(code).toBe(2);
    expect(stderr).toContain('a store of its own');
  });
});
