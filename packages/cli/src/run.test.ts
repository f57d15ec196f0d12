import { mintKeyString } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { runCaptured } from './testing/run-captured.ts';

/* What the command says before it asks a server anything. The key is never sent: nothing listens on port 1. */

const keyswarm = (args: readonly string[], stdin = '') =>
  runCaptured(args, { variables: { KEYSWARM_KEY: 'none', KEYSWARM_URL: 'http://127.0.0.1:1' }, stdin });

describe('--help', () => {
  it('marks what is required, and only that', async () => {
    const { stdout, code } = await keyswarm(['key', 'issue', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/--keyspace <keyspace> .*\(required\)/);
    expect(stdout).not.toMatch(/--name <name> .*\(required\)/);
  });

  it('of import names every column', async () => {
    const { stdout } = await keyswarm(['import', '--help']);
    for (const column of ['hash', 'owner', 'keyspace', 'name', 'ttl', 'expires_at', 'not_before', 'scopes']) {
      expect(stdout).toMatch(new RegExp(`^  ${column} `, 'm'));
    }
    expect(stdout).toContain('metadata.<name>');
  });
});

it('config explain says in words what the profile itself is unless set', async () => {
  const { stdout } = await keyswarm(['config', 'explain']);
  expect(stdout).toContain('  default   embedded, or single when a database is named\n');
  expect(stdout).toContain('  default   as the profile: embedded 4, single 16, cluster 16\n');
  expect(stdout).not.toContain('single single');
});

describe('a usage error', () => {
  const issue = ['key', 'issue', '--keyspace', 'orders', '--owner', 'service:billing'];

  it.each([
    [['key', 'verify', '-'], 'stdin holds no key'],
    [['import'], 'no file is given'],
    [['import', 'a.csv', '--file', 'b.csv'], 'given twice'],
    [['import', '/does/not/exist.csv'], 'ENOENT'],
    [[...issue, '--request-approval', '--count', '2'], 'neither --count nor --out'],
    [['approval', 'approve'], 'nothing says which requests are meant'],
    [['approval', 'deny', 'appr_1', '--keyspace', 'orders'], 'both ids and options were given'],
    [['approval', 'list', '--state', 'open'], 'one of pending, approved'],
    [[...issue, '--expires-at', 'tomorrow'], 'field     --expires-at'],
    [[...issue, '--not-before', '2030-01-31'], 'RFC 3339, such as 2030-01-31T12:00:00Z'],
  ])('%j', async (args, said) => {
    expect(await keyswarm(args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(said),
    });
  });

  const secret = mintKeyString('orders_live', (bytes) => new Uint8Array(bytes));
  const token = `eyJ${'a'.repeat(40)}.eyJ${'b'.repeat(40)}.c`;

  it.each([
    [['key', 'revoke', 'key_1', secret], '<id>'],
    [['key', 'rotate', secret], '<id>'],
    [['key', 'show', token], '<id>'],
    [['key', 'rotation', ` ${secret}`], '<id>'],
    [['keyspace', 'revoke-keys', secret], '<keyspace>'],
    [['owner', 'suspend', secret], '<owner>'],
    [['campaign', 'show', secret], '<campaign>'],
    [['approval', 'approve', secret], '<id>'],
  ])(
    '%j: a secret in place of an id is seen before anything is sent, and is not repeated',
    async (args, field) => {
      const { code, stderr } = await keyswarm(args);
      expect(code).toBe(2);
      expect(stderr).toContain(`field     ${field}`);
      expect(stderr).toContain('nothing was sent');
      expect(stderr).toContain('keyswarm self --revoke');
      expect(stderr).not.toContain(args.at(-1));
    },
  );

  it('a blank line is no key either', async () => {
    expect((await keyswarm(['key', 'verify', '-'], ' \n')).code).toBe(2);
  });
});
