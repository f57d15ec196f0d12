import { describe, expect, it } from 'vitest';
import { serverSettings } from '../config/config-schema.ts';
import { explainSettings, printSettings } from '../config/print-config.ts';
import { variableOf } from '../config/settings-table.ts';
import { nodeSettings } from './node-config.ts';
import { readCredential } from './read-credential.ts';
import { loadNodeSettings } from './testing/test-node.ts';

const least = { KEYSWARM_RELAYS: 'https://a.example,https://b.example:7070', KEYSWARM_VERIFIER_KEY: 'k' };
const relay = { relay: 'http://10.0.0.1:7070' };

describe('the settings of a node', () => {
  it('are a relay and a credential, and nothing else has to be said', () => {
    const { config, shouts } = loadNodeSettings(least);
    expect(config).toMatchObject({ port: 7071, host: '127.0.0.1', serveFeed: false, forwardAuth: null });
    expect(shouts).toEqual([]);
  });

  it('take a relay by its flag, which wins', () => {
    const { config, sources } = loadNodeSettings(least, relay);
    expect([config.relays, sources.relays]).toEqual([relay.relay, 'flag']);
  });

  it.each([
    [{ KEYSWARM_VERIFIER_KEY: 'k' }, 'relays (KEYSWARM_RELAYS, --relays)'],
    [{ KEYSWARM_RELAYS: 'https://a.example' }, 'verifier_key (KEYSWARM_VERIFIER_KEY, --verifier-key)'],
    [{ ...least, KEYSWARM_VERIFIER_KEY_FILE: 'f' }, 'verifier_key_file'],
    [{ ...least, KEYSWARM_RELAYS: 'a.example' }, 'KEYSWARM_RELAYS: expected one or more of http://'],
    [{ ...least, KEYSWARM_RELAYS: 'https://user:word@a.example' }, 'KEYSWARM_RELAYS'],
    [{ ...least, KEYSWARM_PORT: '70000' }, 'KEYSWARM_PORT: expected a whole number'],
    [{ ...least, KEYSWARM_SERVE_FEEDS: 'true' }, 'did you mean KEYSWARM_SERVE_FEED?'],
    [{ ...least, KEYSWARM_KEYSPACES: 'orders' }, 'keyswarm among them'],
    [{ ...least, KEYSWARM_KEYSPACES: 'a,keyswarm', KEYSWARM_SERVE_FEED: 'true' }, 'no keyspaces to be named'],
    [{ ...least, KEYSWARM_FORWARD_AUTH: 'keyswarm' }, 'no management keys'],
    [{ ...least, KEYSWARM_KEYSPACES: 'a', KEYSWARM_FORWARD_AUTH: 'b' }, 'only keyspaces that are followed'],
  ])('are refused when they can not work, by a name and what would do: %j', (variables, told) => {
    expect(() => loadNodeSettings(variables)).toThrow(told);
  });

  it('let a gateway do without management keys', () => {
    const gateway = { ...least, KEYSWARM_KEYSPACES: 'orders', KEYSWARM_FORWARD_AUTH: 'orders' };
    expect(loadNodeSettings(gateway).config.forwardAuth).toBe('orders');
  });

  it('shout when a key would go over a network in the clear', () => {
    const { shouts } = loadNodeSettings({ ...least, KEYSWARM_HOST: '0.0.0.0' }, relay);
    expect(shouts).toHaveLength(2);
    expect(shouts.join()).toContain('http://10.0.0.1:7070');
  });

  it('are never shown with the credential in them', () => {
    const { config, sources } = loadNodeSettings({ ...least, KEYSWARM_VERIFIER_KEY: 'sesame' });
    const shown = printSettings(nodeSettings, config, sources) + explainSettings(nodeSettings);
    expect(shown).toContain('[secret]');
    expect(shown).not.toContain('sesame');
  });

  it('may stand in one file of variables with those of a server', () => {
    const namesOf = ({ names }: { readonly names: readonly string[] }) => names.map(variableOf);
    const both = new Set([...namesOf(nodeSettings), ...namesOf(serverSettings)]);
    for (const table of [nodeSettings, serverSettings]) {
      const own = new Set(namesOf(table));
      const refused = [...both].filter((name) => !own.has(name) && !table.foreignVariable.test(name));
      expect(refused).toEqual([]);
    }
  });
});

describe('the credential', () => {
  const read = (file: string | undefined) =>
    readCredential({ verifierKey: null, verifierKeyFile: 'key' }, () => file).reveal();

  it('comes from a file without the line break at its end', () => {
    expect(read('orders_live_x\n')).toBe('orders_live_x');
  });

  it('in a file that is not there is missed by the name of the file', () => {
    expect(() => read(undefined)).toThrow('got no file at key');
  });

  it.each(['', 'two words', 'ümlaut', 'a'.repeat(2_000)])('is refused unread: %j', (file) => {
    expect(() => read(file)).toThrow('KEYSWARM_VERIFIER_KEY_FILE: expected one management key');
    if (file) expect(() => read(file)).not.toThrow(file);
  });
});
