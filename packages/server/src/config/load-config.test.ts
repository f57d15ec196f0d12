import { describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { flagOf, settingNames, settings, variableOf } from './config-schema.ts';
import { type ConfigInput, loadConfig } from './load-config.ts';
import { explainConfig, printConfig } from './print-config.ts';

const load = (input: Partial<ConfigInput> & { readonly file?: string } = {}) =>
  loadConfig({
    variables: input.variables ?? {},
    flags: input.flags ?? {},
    readFile: input.readFile ?? ((path) => (path === 'keyswarm.config.json' ? input.file : undefined)),
  });

function refusal(input: Parameters<typeof load>[0]): ConfigError {
  try {
    load(input);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the config was accepted');
}

const database = 'postgres://keyswarm:hunter2@db.example/keyswarm?sslmode=verify-full';

describe('sources', () => {
  test('nothing given makes an embedded server on the loopback address', () => {
    const { config, shouts } = load();
    expect(config).toMatchObject({ profile: 'embedded', host: '127.0.0.1', port: 7070, shards: 4 });
    expect(shouts).toEqual([]);
  });

  test('a flag wins over a variable, a variable over the file, the file over the default', () => {
    const file = JSON.stringify({ port: 1001, host: '127.0.0.2', data_dir: 'from-file' });
    const variables = { KEYSWARM_PORT: '1002', KEYSWARM_HOST: '127.0.0.3' };
    const { config, sources } = load({ file, variables, flags: { port: '1003' } });
    expect([config.port, config.host, config.dataDir]).toEqual([1003, '127.0.0.3', 'from-file']);
    expect([sources.port, sources.host, sources.dataDir, sources.shards]).toEqual([
      'flag',
      'variable',
      'file',
      'default',
    ]);
  });

  test('a database URL makes the profile single, with its own defaults', () => {
    expect(load({ variables: { KEYSWARM_DATABASE_URL: database } }).config).toMatchObject({
      profile: 'single',
      shards: 16,
    });
  });

  test('workers are one, and as many as are asked for on a database', () => {
    expect(load().config.workers).toBe(1);
    const variables = { KEYSWARM_DATABASE_URL: database };
    expect(load({ variables }).config.workers).toBe(1);
    expect(load({ variables: { ...variables, KEYSWARM_WORKERS: '8' } }).config.workers).toBe(8);
  });

  test('an empty variable counts as absent', () => {
    expect(load({ variables: { KEYSWARM_DATABASE_URL: '' } }).config.profile).toBe('embedded');
  });

  test('every default is accepted by its own schema', () => {
    for (const profile of ['embedded', 'single', 'cluster'] as const) {
      const needsDatabase = profile === 'embedded' ? {} : { KEYSWARM_DATABASE_URL: database };
      expect(load({ variables: { ...needsDatabase, KEYSWARM_PROFILE: profile } }).config.profile).toBe(
        profile,
      );
      for (const name of settingNames) {
        const value = settings[name]['x-default'][profile];
        if (value === null || name === 'profile') continue;
        const flags = { [flagOf(name).slice(2)]: String(value), profile };
        expect(load({ variables: needsDatabase, flags }).config[name]).toBe(value);
      }
    }
  });
});

describe('refusals name what was written and what would do', () => {
  test.each([
    [{ variables: { KEYSWARM_PORT: '70700' } }, 'KEYSWARM_PORT', '0 to 65535'],
    [{ variables: { KEYSWARM_PORT: '7070x' } }, 'KEYSWARM_PORT', '0 to 65535'],
    [{ flags: { shards: '12' } }, 'shards (KEYSWARM_SHARDS, --shards)', 'a power of two'],
    [{ file: '{"port":"7070"}' }, 'keyswarm.config.json: port', '0 to 65535'],
    [{ file: '{"behind_tls":1}' }, 'keyswarm.config.json: behind_tls', 'true or false'],
    [{ file: '{"host":null}' }, 'keyswarm.config.json: host', 'an IP address'],
    [{ file: '[]' }, 'keyswarm.config.json', 'one JSON object'],
    [{ file: '{' }, 'keyswarm.config.json', 'valid JSON'],
    [{ flags: { config: 'absent.json' } }, '--config', 'a file that can be read'],
    [{ variables: { KEYSWARM_PROFILE: 'huge' } }, 'KEYSWARM_PROFILE', 'one of embedded, single, cluster'],
    [{ variables: { KEYSWARM_PROFILE: 'single' } }, 'KEYSWARM_DATABASE_URL', 'a PostgreSQL'],
    [
      { variables: { KEYSWARM_PROFILE: 'embedded', KEYSWARM_DATABASE_URL: database } },
      'profile',
      'single or cluster',
    ],
    [{ flags: { workers: '2' } }, '--workers', 'KEYSWARM_DATABASE_URL'],
    [{ flags: { workers: '0', 'database-url': database } }, '--workers', 'from 1 to 64'],
    [{ flags: { workers: '65', 'database-url': database } }, '--workers', 'from 1 to 64'],
    [
      { variables: { KEYSWARM_MASTER_KEY: 'x', KEYSWARM_MASTER_KEY_FILE: 'y' } },
      'master_key_file',
      'not both',
    ],
  ])('%j', (input, setting, expected) => {
    const error = refusal(input);
    expect(error.setting).toContain(setting);
    expect(error.expected).toContain(expected);
  });

  test.each([
    [{ variables: { KEYSWARM_MASTERKEY: 'x' } }, 'KEYSWARM_MASTERKEY', 'KEYSWARM_MASTER_KEY'],
    [{ flags: { 'data-dri': 'x' } }, '--data-dri', '--data-dir'],
    [{ file: '{"prot":1}' }, 'keyswarm.config.json: prot', 'port'],
    [{ file: '{"colour":1}' }, 'keyswarm.config.json: colour', 'config explain'],
  ])('an unknown name is refused, with a guess at what was meant: %j', (input, setting, guess) => {
    const error = refusal(input);
    expect(error.setting).toBe(setting);
    expect(error.expected).toContain(guess);
  });

  test('what Kubernetes injects for a Service of this name is told apart and explained', () => {
    expect(load({ variables: { KEYSWARM_SERVICE_HOST: '10.0.0.1' } }).config.port).toBe(7070);
    expect(refusal({ variables: { KEYSWARM_PORT: 'tcp://10.0.0.1:7070' } }).message).toContain(
      'enableServiceLinks',
    );
  });

  test('the value of a secret is in no error', () => {
    for (const variables of [
      { KEYSWARM_DATABASE_URL: 'mysql://u:hunter2@h/d' },
      { KEYSWARM_PROFILE: 'cluster', KEYSWARM_DATABASE_URL: 'postgres://u:hunter2@db.example/d' },
    ]) {
      expect(refusal({ variables }).message).not.toContain('hunter2');
    }
    expect(refusal({ file: '{"master_key": hunter2}' }).message).not.toContain('hunter2');
  });
});

describe('insecure settings', () => {
  test('shout once each outside of a cluster', () => {
    expect(load({ flags: { host: '0.0.0.0' } }).shouts.join()).toContain('without TLS');
    expect(load({ flags: { host: '0.0.0.0', 'behind-tls': true } }).shouts).toEqual([]);
    const { shouts } = load({ flags: { 'database-url': 'postgres://u@db.example/d', host: '::' } });
    expect(shouts).toHaveLength(2);
  });

  test('are refused in a cluster', () => {
    const cluster = { profile: 'cluster', 'database-url': database };
    expect(refusal({ flags: { ...cluster, host: '0.0.0.0' } }).setting).toBe('KEYSWARM_BEHIND_TLS');
    expect(
      refusal({ flags: { profile: 'cluster', 'database-url': 'postgres://u@db.example/d' } }).setting,
    ).toBe('KEYSWARM_DATABASE_URL');
    expect(load({ flags: { ...cluster, host: '0.0.0.0', 'behind-tls': true } }).shouts).toEqual([]);
  });

  test.each(['postgres://u@127.0.0.1/d', 'postgres:///d?host=/run/postgresql', 'postgres://u@[::1]:5432/d'])(
    'a database on this machine needs no TLS: %s',
    (url) => {
      expect(load({ flags: { 'database-url': url } }).shouts).toEqual([]);
    },
  );
});

test('print shows every setting with its source and no secret', () => {
  const printed = printConfig(load({ variables: { KEYSWARM_DATABASE_URL: database } }));
  expect(printed).not.toContain('hunter2');
  expect(printed).toMatch(/database_url +\[secret\] +variable/);
  expect(printed.trim().split('\n')).toHaveLength(settingNames.length);
});

test('explain names every variable', () => {
  const explained = explainConfig();
  for (const name of settingNames) expect(explained).toContain(variableOf(name));
});
