import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { spawnCommand, startServerCommand } from './testing/spawn-command.ts';

/* The launcher under a Node that does not strip types: it has to hand over to the pinned one. */

const nodeFlags = ['--no-experimental-strip-types'];
const folder = mkdtempSync(join(tmpdir(), 'keyswarm-launcher-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('under a Node that can not run the sources', () => {
  it('the command works, and its exit code comes through', async () => {
    const minted = await spawnCommand(['mint-bootstrap-key', '--quiet'], { nodeFlags }).ended;
    expect(minted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^keyswarm_\w{34}\n$/) });
    expect((await spawnCommand(['nonsense'], { nodeFlags }).ended).code).toBe(2);
  });

  it('SIGTERM reaches the server, which drains and ends with 0', async () => {
    const server = await startServerCommand(join(folder, 'a'), { nodeFlags });
    server.child.kill('SIGTERM');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('"stopped"');
  });

  it('no server is left behind when the launcher is killed', async () => {
    const server = await startServerCommand(join(folder, 'b'), { nodeFlags });
    server.child.kill('SIGKILL');
    // The server has inherited the launcher's stdout, which is closed only when both are gone.
    expect(await server.ended).toMatchObject({ stdout: expect.stringContaining('"stopped"') });
  });
});
