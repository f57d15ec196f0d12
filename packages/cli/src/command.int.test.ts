import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCaptured } from './testing/run-captured.ts';
import {
  type CommandServer,
  spawnCommand,
  startServerCommand,
  type Variables,
} from './testing/spawn-command.ts';

/*
 * The command against a real server. Where a signal, a pipe or an exit is what matters, it has a process of its own,
 * as it has at a shell; elsewhere it runs inside this one, which is the same code without a start.
 */

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-cli-'));
let server: CommandServer;
let variables: Variables;

const keyswarm = (args: readonly string[], stdin = '') => runCaptured(args, { variables, stdin });
const json = async (args: readonly string[], stdin?: string) => {
  const { stdout, stderr, code } = await keyswarm([...args, '--json'], stdin);
  if (code !== 0) throw new Error(`${code}: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
};
const issue = [
  'key',
  'issue',
  '--keyspace',
  'orders',
  '--owner',
  'service:billing',
  '--scope',
  'orders:read',
];

beforeAll(async () => {
  const { stdout } = await spawnCommand(['mint-bootstrap-key', '--quiet']).ended;
  const key = stdout.trim();
  server = await startServerCommand(join(folder, 'data'), {
    variables: { KEYSWARM_BOOTSTRAP_KEY: key, KEYSWARM_PUBLIC_URL: 'https://keys.example' },
  });
  variables = { KEYSWARM_KEY: key, KEYSWARM_URL: server.url };
  await json([
    'keyspace',
    'create',
    'orders',
    '--prefix',
    'orders',
    '--scope',
    'orders:*',
    '--default-ttl',
    '90d',
  ]);
});

afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  rmSync(folder, { recursive: true });
});

describe('one key', () => {
  it('is issued, verified, rotated with both versions valid, finished, revoked', async () => {
    const [issued] = await json(issue);
    expect(await json(['key', 'verify', '-'], issued.secret)).toMatchObject([
      { valid: true, key_id: issued.id },
    ]);
    const [rotated] = await json(['key', 'rotate', issued.id, '--grace', '10m']);
    expect((await keyswarm(['key', 'verify', '-'], issued.secret)).code).toBe(0);
    expect((await keyswarm(['key', 'verify', '-'], rotated.secret)).code).toBe(0);
    expect(await json(['key', 'rotation', issued.id])).toMatchObject([
      { state: 'overlapping', previous_version: 1, finish: { admitted: false, code: 'version_in_use' } },
    ]);
    expect((await keyswarm(['key', 'rotation', issued.id])).stdout).toMatch(
      /may be finished +no: Version 1 was used/,
    );
    await json(['key', 'finish', issued.id, '--force']);
    expect((await keyswarm(['key', 'verify', '-'], issued.secret)).stdout).toBe('verdict  expired\n');
    const [revoked] = await json(['key', 'revoke', issued.id, '--reason', 'done']);
    expect(Date.parse(revoked.effective_by)).toBeGreaterThanOrEqual(Date.parse(revoked.revoked_at));
    const verdict = await keyswarm(['key', 'verify', '-'], rotated.secret);
    expect(verdict).toMatchObject({ stdout: 'verdict  revoked\n', code: 1 });
  });

  it('has no version in grace any more once it is revoked', async () => {
    const owner = issue.map((arg) => arg.replace('billing', 'ended'));
    const [issued] = await json(owner);
    await json(['key', 'rotate', issued.id, '--grace', '10m']);
    const listed = async () => (await keyswarm(['key', 'list', '--owner', 'service:ended'])).stdout;
    expect(await listed()).toContain('2 (1 in grace)');
    expect(await listed()).toMatch(/ orders +service:ended( {2}|$)/m);
    await json(['key', 'revoke', issued.id]);
    expect(await listed()).toMatch(/ revoked +2 /);
    const { stdout } = await keyswarm(['key', 'show', issued.id]);
    expect(stdout).toMatch(/^1 +revoked .* -$/m);
    expect((await listed()) + stdout).not.toContain('grace');
  });

  it('is told to have no scopes where it has none', async () => {
    const bare = issue.slice(0, issue.indexOf('--scope'));
    expect((await keyswarm(bare)).stderr).toContain('it has no scopes');
    expect((await keyswarm(issue)).stderr).not.toContain('no scopes');
  });

  it('is listed by the names of its keyspace and owner, and by their ids for who may read no names', async () => {
    await json(issue.map((arg) => arg.replace('billing', 'listed')));
    const scopes = ['--scope', 'keys:read'];
    const [reader] = await json([
      'key',
      'issue',
      '--keyspace',
      'keyswarm',
      '--owner',
      'service:reader',
      ...scopes,
    ]);
    const narrow = { ...variables, KEYSWARM_KEY: reader.secret };
    const { stdout, code } = await runCaptured(['key', 'list', '--keyspace', 'orders'], {
      variables: narrow,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/ ks_\w{26} +own_\w{26}/);
    expect((await keyswarm(['key', 'list', '--keyspace', 'orders'])).stdout).toContain(' service:listed');
  });

  it('is suspended and resumed, and so is its owner', async () => {
    const [issued] = await json([...issue.map((arg) => arg.replace('billing', 'moody'))]);
    const verdict = async () => (await keyswarm(['key', 'verify', '-', '--json'], issued.secret)).stdout;
    await json(['key', 'suspend', issued.id]);
    expect(await verdict()).toContain('"suspended"');
    await json(['key', 'resume', issued.id]);
    await json(['owner', 'suspend', 'service:moody']);
    expect(await verdict()).toContain('"suspended"');
    expect((await keyswarm(['key', 'show', issued.id])).stdout).toMatch(
      /^state +active, but refused: owner suspended$/m,
    );
    expect((await keyswarm(['key', 'list', '--owner', 'service:moody'])).stdout).toContain(
      'active (owner suspended)',
    );
    await json(['owner', 'resume', 'service:moody']);
    expect(await verdict()).toContain('"valid":true');
    await json(['owner', 'revoke-keys', 'service:moody']);
    expect(await verdict()).toContain('"revoked"');
    expect((await keyswarm(['key', 'rotation', issued.id])).stdout).toMatch(
      /^state +over: the key is revoked, and no version of it works$/m,
    );
  });

  it('is read from a file or a variable too, and among the arguments only with a warning', async () => {
    const [{ secret }] = await json(issue);
    const path = join(folder, 'key.txt');
    writeFileSync(path, `${secret}\n`);
    expect((await keyswarm(['key', 'verify', '--from-file', path])).code).toBe(0);
    const held = spawnCommand(['key', 'verify', '--from-env', 'HELD'], {
      variables: { ...variables, HELD: secret },
    });
    expect((await held.ended).code).toBe(0);
    const warned = await keyswarm(['key', 'verify', secret]);
    expect(warned).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('warning: a key among the arguments'),
    });
    expect(warned.stderr).not.toContain(secret);
  });

  it('is shown without its secret, for people and as JSON', async () => {
    const [{ id, secret }] = await json([...issue, '--name', 'evil \u2028name', '--metadata', 'team=core']);
    const shown = await keyswarm(['key', 'show', id]);
    expect(shown.stdout).toMatch(/^state +active$/m);
    expect(shown.stdout).toMatch(/^name +evil \ufffdname$/m);
    expect(shown.stdout).toMatch(/^metadata +team=core$/m);
    expect(shown.stdout + JSON.stringify(await json(['key', 'show', id]))).not.toContain(secret);
  });
});

describe('many keys', () => {
  it('are issued into a file of one’s own, verified in bulk, and listed page by page', async () => {
    const path = join(folder, 'many.ndjson');
    const owner = issue.map((arg) => arg.replace('billing', 'many'));
    const issued = await keyswarm([...owner, '--count', '2500', '--name', 'batch', '--out', path]);
    expect(issued).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('issued 2,500') });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    expect(new Set(lines.map((line) => JSON.parse(line).secret)).size).toBe(2500);

    const again = await keyswarm([...owner, '--count', '1', '--out', path]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('EEXIST') });

    const verified = await keyswarm(['key', 'verify', '--keys-file', path, '--keyspace', 'orders']);
    expect(verified).toMatchObject({ code: 0, stdout: 'VERDICT  KEYS\nvalid    2,500\n' });
    writeFileSync(path, `${lines.slice(0, 2).join('\n')}\nnot a key\n\n`);
    const mixed = await keyswarm(['key', 'verify', '--keys-file', path, '--json']);
    const verdicts = mixed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(mixed.code).toBe(1);
    expect(verdicts.map(({ line, valid }) => [line, valid])).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);

    const listed = await json(['key', 'list', '--owner', 'service:many', '--all']);
    expect(listed).toHaveLength(2500);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(2500);
    const some = await keyswarm(['key', 'list', '--limit', '3']);
    expect(some.stdout.trim().split('\n')).toHaveLength(4);
    expect(some.stderr).toContain('only the first 3');
  });

  it('are imported by their hashes, and what is refused is told by its line', async () => {
    const strings = Array.from({ length: 3 }, () => randomBytes(24).toString('hex'));
    const hashes = strings.map((text) => createHash('sha256').update(text).digest('hex'));
    const path = join(folder, 'old.csv');
    const rows = hashes.map((hash, index) => `${hash},service:old-${index},orders:read`);
    writeFileSync(path, ['hash,owner,scopes', ...rows].join('\n'));
    const args = ['import', '--file', path, '--format', 'sha256-hex', '--keyspace', 'orders'];
    expect(await keyswarm(args)).toMatchObject({ code: 0, stderr: expect.stringContaining('imported 3') });
    expect((await json(['key', 'verify', '-'], strings[1]))[0]).toMatchObject({
      valid: true,
      owner: { external_id: 'old-1' },
    });
    const twice = await keyswarm(args.filter((arg) => arg !== '--file'));
    expect(twice).toMatchObject({ code: 5, stderr: expect.stringContaining('3 refused (already_imported)') });
    expect(twice.stdout).toContain('line 2: already_imported');
    expect(twice.stdout + twice.stderr).not.toContain(hashes[0]);
  });

  it('Ctrl-C stops issuing, says how many were issued, and every one of them was printed and works', async () => {
    const running = spawnCommand([...issue, '--count', '1000000', '--json'], { variables });
    await running.lines(1);
    running.child.kill('SIGINT');
    const { stdout, stderr, code } = await running.ended;
    const printed = stdout.trim().split('\n');
    expect(code).toBe(130);
    expect(stderr).toContain(`interrupted: issued ${printed.length.toLocaleString('en-US')} in`);
    const verified = await keyswarm(['key', 'verify', '--keys-file', '-'], stdout);
    expect(verified.stdout).toBe(`VERDICT  KEYS\nvalid    ${printed.length.toLocaleString('en-US')}\n`);
  });

  it('a reader that goes away ends it quietly', async () => {
    const running = spawnCommand([...issue, '--count', '1000000', '--json'], { variables });
    await running.lines(1);
    running.child.stdout.destroy();
    const { stderr, code } = await running.ended;
    expect(code).toBe(141);
    expect(stderr).not.toContain('Error');
  });
});

describe('events', () => {
  it('are printed with what happens next until Ctrl-C, and a cursor goes on from there', async () => {
    const tail = spawnCommand(['events', 'tail', '--follow', '--type', 'keyspace.created', '--json'], {
      variables,
    });
    // The built-in keyspace and this test's own have been there before.
    await tail.lines(2);
    const [later] = await json(['keyspace', 'create', 'later', '--prefix', 'later']);
    expect(JSON.parse((await tail.lines(3))[2] ?? '')).toMatchObject({
      type: 'dev.keyswarm.keyspace.created',
      subject: later.id,
    });
    tail.child.kill('SIGINT');
    const { stderr, code } = await tail.ended;
    expect(code).toBe(0);
    const cursor = /--after (\S+)/.exec(stderr)?.[1] ?? '';
    await json(issue);
    const after = await json(['events', 'tail', '--after', cursor]);
    expect(after.map(({ type }) => type)).toEqual(['dev.keyswarm.key.issued']);
  });

  it('are the newest unless another place to begin is named', async () => {
    const [newest] = await json(['events', 'tail', '--limit', '1']);
    const all = await json(['events', 'tail', '--from', 'start']);
    expect(all.at(-1)).toEqual(newest);
    expect(all.length).toBeGreaterThan(1);
    expect(await json(['events', 'tail', '--since', newest.time])).toContainEqual(newest);
    expect((await json(['events', 'tail', '--since', '1h'])).length).toBe(all.length);
    const [first] = await json([
      'events',
      'tail',
      '--type',
      all[0].type.replace('dev.keyswarm.', ''),
      '--limit',
      '1',
    ]);
    expect(first.type).toBe(all[0].type);
    const refused = await keyswarm(['events', 'tail', '--from', 'start', '--since', '1h']);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--from and --since') });
  });
});

describe('a keyspace', () => {
  it('is given another policy by what is named, and keeps the rest', async () => {
    await json(['keyspace', 'create', 'dial', '--prefix', 'dial', '--lease', '5s', '--max-ttl', '90d']);
    const [changed] = await json(['keyspace', 'update', 'dial', '--lease', '2s', '--rotate-after', '30d']);
    expect(changed).toMatchObject({
      lease_seconds: 2,
      max_ttl_seconds: 90 * 86_400,
      rotation: { rotate_after_seconds: 30 * 86_400, settle_seconds: null },
    });
    const [lifted] = await json([
      'keyspace',
      'update',
      'dial',
      '--max-ttl',
      'none',
      '--rotate-after',
      'none',
    ]);
    expect(lifted).toMatchObject({ max_ttl_seconds: null, rotation: { rotate_after_seconds: null } });
    expect(await keyswarm(['keyspace', 'update', 'dial'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('at least one option'),
    });
  });

  it('is suspended and resumed', async () => {
    await json(['keyspace', 'create', 'gate', '--prefix', 'gate']);
    await json(['keyspace', 'suspend', 'gate']);
    expect(await json(['keyspace', 'show', 'gate'])).toMatchObject([{ state: 'suspended' }]);
    await json(['keyspace', 'resume', 'gate']);
    expect(await json(['keyspace', 'show', 'gate'])).toMatchObject([{ state: 'active' }]);
  });
});

describe('a key that needs approval', () => {
  const guarded = issue.map((arg) => (arg === 'orders' ? 'guarded' : arg));

  it('is refused with what to do about it, asked for, approved by another manager, and collected once', async () => {
    const created = ['keyspace', 'create', 'guarded', '--prefix', 'guarded', '--scope', 'orders:*'];
    expect((await keyswarm([...created, '--approval-scope', 'orders:*'])).stdout).toMatch(
      /^needs approval +orders:\*$/m,
    );
    const refused = await keyswarm(guarded);
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('approval_required') });
    expect(refused.stderr).toContain('--request-approval');
    const asked = await keyswarm([...guarded, '--request-approval', '--reason', 'new till']);
    const id = /appr_[0-9a-z]{26}/.exec(asked.stdout)?.[0] ?? '';
    expect(asked.stderr).toContain(`keyswarm approval collect ${id}`);
    expect((await keyswarm(['approval', 'list', '--state', 'pending'])).stdout).toMatch(/appr_.*new till/);
    expect(await keyswarm(['approval', 'approve', id])).toMatchObject({
      code: 5,
      stdout: expect.stringContaining('self_approval'),
    });
    // What the first key asks for is decided by none that it has made: managers ask and decide among themselves.
    const asker = await json(manager('asker', 'keys:issue'));
    const decider = await json(manager('decider', 'approvals:decide', 'approvals:read'));
    const as = (key: string, args: readonly string[]) =>
      runCaptured(args, { variables: { ...variables, KEYSWARM_KEY: key }, stdin: '' });
    await json(['approval', 'withdraw', id]);
    const again = await as(asker[0].secret, [...guarded, '--request-approval', '--json']);
    const wanted = JSON.parse(again.stdout).id;
    expect((await as(asker[0].secret, ['approval', 'collect', wanted])).stderr).toContain('approval_pending');
    const note = ['--keyspace', 'guarded', '--note', 'fine'];
    expect(await as(decider[0].secret, ['approval', 'approve', ...note])).toMatchObject({
      code: 0,
      stdout: `${wanted}  approved\n`,
    });
    const collected = await as(asker[0].secret, ['approval', 'collect', wanted, '--json']);
    expect(await json(['key', 'verify', '-'], JSON.parse(collected.stdout).secret)).toMatchObject([
      { valid: true },
    ]);
    expect((await as(asker[0].secret, ['approval', 'collect', wanted])).code).toBe(5);
    const shown = await keyswarm(['approval', 'show', wanted]);
    expect(shown.stdout).toMatch(/^state +collected$/m);
    expect(shown.stdout).toMatch(/^note +fine$/m);
  });

  function manager(name: string, ...scopes: readonly string[]): readonly string[] {
    const flags = scopes.flatMap((scope) => ['--scope', scope]);
    return ['key', 'issue', '--keyspace', 'keyswarm', '--owner', `service:${name}`, ...flags];
  }
});

describe('what goes wrong', () => {
  it.each([
    [['key', 'show', 'key_00000000000000000000000000'], 3, 'not_found'],
    [['keyspace', 'create', 'orders', '--prefix', 'orders'], 5, 'name_taken'],
    [['keyspace', 'create', 'x', '--prefix', 'Bad-Prefix'], 2, 'invalid_prefix'],
    [[...issue, '--ttl', '90'], 2, '--ttl'],
    [[...issue, '--scope', 'users:read'], 2, 'option    --scope'],
    [[...issue, '--ttl', '200000d'], 2, 'option    --ttl'],
    [['keyspace', 'create', 'y', '--prefix', 'y', '--lease', '2h'], 2, 'option    --lease'],
    [['keyspace', 'create', 'y', '--prefix', 'y', '--lease', '2h'], 2, 'at most 10m: how long a verifier'],
    [['keyspace', 'create', 'y', '--prefix', 'y', '--lease', '0s'], 2, 'at least 1s: how long a verifier'],
    [['key', 'issue', '--keyspace', 'orders'], 2, '--owner'],
    [['owner', 'suspend', 'billing'], 2, 'service:billing'],
    [['key', 'list', '--state', 'odd'], 2, 'one of pending'],
    [['import', '--file', '/does/not/exist.ndjson', '--keyspace', 'orders'], 2, 'ENOENT'],
    [['nonsense'], 2, 'unknown command'],
    [['--url', 'ftp://x', 'key', 'list'], 2, 'http://127.0.0.1:7070'],
    [['--url', 'http://127.0.0.1:1', 'keyspace', 'create', 'x', '--prefix', 'x'], 6, 'unreachable'],
  ])('%j ends with %d and says what is wrong', async (args, code, said) => {
    const result = await keyswarm(args);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it('under --json is one line of JSON on stderr', async () => {
    const { stderr } = await keyswarm(['key', 'show', 'key_00000000000000000000000000', '--json']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'not_found', field: 'id', option: '<id>' } });
  });

  it('without a management key says where one comes from', async () => {
    const result = await spawnCommand(['key', 'list'], { variables: { KEYSWARM_URL: server.url } }).ended;
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('KEYSWARM_KEY') });
  });

  it('a port that is taken ends the start, says so, and leaves no folder behind', async () => {
    const port = new URL(server.url).port;
    const dataDir = join(folder, 'other');
    const args = ['start', '--port', port, '--data-dir', dataDir];
    const result = await spawnCommand(args).ended;
    expect(result).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('another process listens on '),
    });
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe('doctor', () => {
  it('finds nothing wrong with a server that is well', async () => {
    const result = await keyswarm(['doctor']);
    expect(result.stdout).not.toMatch(/^(fault|warning)/m);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('may *; never expires') });
  });

  it('without a key says what it did not check, and that is no fault', async () => {
    const keyless = await runCaptured(['doctor'], { variables: { KEYSWARM_URL: server.url } });
    expect(keyless).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^warning +key +not checked, nor what it may do: no management key/m),
    });
    expect(keyless.stdout).toMatch(/^ok +ready /m);
    const away = ['doctor', '--url', 'http://127.0.0.1:1'];
    expect((await runCaptured(away, { variables: {} })).code).toBe(1);
  });

  it('tells a server that is not there from a key that is not accepted', async () => {
    const away = await keyswarm(['doctor', '--url', 'http://127.0.0.1:1', '--json']);
    expect(away.code).toBe(1);
    expect(JSON.parse(away.stdout).findings[0]).toMatchObject({ check: 'server', state: 'fault' });
    const wrong = await spawnCommand(['doctor', '--json'], {
      variables: { ...variables, KEYSWARM_KEY: 'nope' },
    }).ended;
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout).findings).toContainEqual(
      expect.objectContaining({ check: 'key', state: 'fault' }),
    );
  });
});

describe('an enrollment key', () => {
  const create = ['enrollment', 'create', '--keyspace', 'orders', '--uses', '1', '--scope', 'orders:*'];

  it('is made, exchanged once into a file, and shown to its holder; no secret is printed with --out', async () => {
    const [made] = await json([...create, '--owner-kind', 'service', '--owner-prefix', 'node-', '--cascade']);
    const out = join(folder, 'node.key');
    const enroll = ['enroll', '-', '--owner', 'service:node-1', '--scope', 'orders:read', '--out', out];
    const { stdout, code } = await keyswarm(enroll, made.secret);
    expect(code).toBe(0);
    const secret = readFileSync(out, 'utf8').trim();
    expect(stdout).not.toContain(secret);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(await json(['self', '--from-file', out])).toMatchObject([
      { version: 1, state: 'active', scopes: ['orders:read'], owner: { external_id: 'node-1' } },
    ]);
    const again = await keyswarm(enroll, made.secret);
    expect(again).toMatchObject({ code: 5 });
    expect(again.stderr).toContain('enrollment_used_up');
    expect(await json(['enrollment', 'keys', made.id])).toMatchObject([{ enrolled_with: made.id }]);
    await json(['key', 'revoke', made.id]);
    expect((await keyswarm(['self', '--from-file', out])).code).toBe(4);
  });

  it('is not made of what can not be meant', async () => {
    const codes = [
      await keyswarm(create),
      await keyswarm([...create, '--owner-prefix', 'node-']),
      await keyswarm([...create, '--owner-kind', 'robot']),
      await keyswarm([...create, '--owner', 'billing']),
    ];
    expect(codes.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
  });
});

describe('tokens', () => {
  it('are keys of a keyspace for that; narrower ones are derived without a management key, and end with the key', async () => {
    await json([
      'keyspace',
      'create',
      'jwt',
      '--prefix',
      'jwt',
      '--format',
      'jwt',
      '--scope',
      'a:*',
      '--max-ttl',
      '1d',
    ]);
    const [key] = await json([
      'key',
      'issue',
      '--keyspace',
      'jwt',
      '--owner',
      'service:t',
      '--scope',
      'a:*',
      '--ttl',
      '1h',
    ]);
    expect(key.secret).toMatch(/^eyJ/);
    const exchange = ['token', 'exchange', '-', '--scope', 'a:read', '--ttl', '1m', '--json'];
    const alone = { KEYSWARM_URL: server.url };
    const { stdout, stderr } = await runCaptured(exchange, { variables: alone, stdin: key.secret });
    expect(stderr).toBe('');
    const { access_token: token, scope } = JSON.parse(stdout);
    expect(scope).toBe('a:read');
    expect(await json(['token', 'introspect', '-'], token)).toMatchObject([
      { active: true, client_id: key.id },
    ]);
    expect((await keyswarm([...exchange, '--scope', 'b:read'], key.secret)).stderr).toContain(
      'token_refused',
    );
    await json(['key', 'revoke', key.id]);
    const ended = await keyswarm(['token', 'introspect', '-'], token);
    expect(ended).toMatchObject({ code: 1, stdout: 'active  false\n' });
  });

  it('are signed by keys that are listed, hand over at their gate, and end when they leak', async () => {
    const listed = async () =>
      (await json(['signing-key', 'list']))[0].items as { id: string; state: string }[];
    const active = (await listed()).find(({ state }) => state === 'active');
    expect((await keyswarm(['signing-key', 'rotate'])).stderr).toContain('signing_key_gate');
    expect((await keyswarm(['signing-key', 'rotate', '--algorithm', 'none'])).code).toBe(2);
    expect((await keyswarm(['signing-key', 'remove', active?.id ?? ''])).stderr).toContain(
      'signing_key_state',
    );
    expect(await json(['signing-key', 'revoke', active?.id ?? ''])).toMatchObject([{ state: 'removed' }]);
    expect((await listed()).map(({ state }) => state).sort()).toEqual(['active', 'published', 'removed']);
  });
});
