import { builtinKeyspaceName } from '@keyswarm/core';
import { isBrokerLinkSafe } from '../config/check-safety.ts';
import { ConfigError } from '../config/config-error.ts';
import { isLoopback } from '../config/is-loopback.ts';
import { listOf } from '../config/list-of.ts';
import { type ConfigInput, loadSettings, type SettingSource } from '../config/load-settings.ts';
import type { SettingValue } from '../config/setting.ts';
import { namesOf } from '../config/settings-table.ts';
import { type NodeConfig, type NodeSettingName, nodeSettings } from './node-config.ts';

export interface LoadedNodeConfig {
  readonly config: NodeConfig;
  readonly sources: Readonly<Record<NodeSettingName, SettingSource>>;
  /** What is insecure as it stands; to be shouted once. */
  readonly shouts: readonly string[];
}

/** The settings of a node. Throws a `ConfigError` that names what to change. */
export function loadNodeConfig(input: ConfigInput): LoadedNodeConfig {
  const { values, sources } = loadSettings(nodeSettings, input, () => 'single');
  const config = values as unknown as NodeConfig;
  checkTogether(config);
  return { config, sources, shouts: shoutsOf(config) };
}

/** A config for tests and embedding: the defaults with some settings laid over them. */
export function nodeConfigWith(overrides: Partial<NodeConfig>): NodeConfig {
  const values: Record<string, SettingValue> = {};
  for (const name of nodeSettings.names) {
    values[name] = overrides[name] ?? nodeSettings.settings[name]['x-default'].single;
  }
  return Object.freeze(values) as unknown as NodeConfig;
}

/** What no single field can say. */
function checkTogether(config: NodeConfig): void {
  if (config.relays === null) {
    throw new ConfigError(
      namesOf('relays'),
      'the server to follow, such as --relay https://keyswarm.internal:7070',
    );
  }
  if (config.verifierKey === null && config.verifierKeyFile === null) {
    throw new ConfigError(
      namesOf('verifierKey'),
      'a management key with the scopes feed:read and feed:read:keyswarm, or a file that holds one',
    );
  }
  if (config.verifierKey !== null && config.verifierKeyFile !== null) {
    throw new ConfigError(namesOf('verifierKeyFile'), 'either a key or a file that holds it, not both');
  }
  const asked = listOf(config.forwardAuth) ?? [];
  const followed = listOf(config.keyspaces);
  if (asked.includes(builtinKeyspaceName)) {
    throw new ConfigError(
      namesOf('forwardAuth'),
      'no management keys: a keyspace of an access point',
      builtinKeyspaceName,
    );
  }
  if (listOf(config.fallbackKeyspaces)?.includes(builtinKeyspaceName)) {
    throw new ConfigError(namesOf('fallbackKeyspaces'), 'no management keys', builtinKeyspaceName);
  }
  const missing = asked.find((keyspace) => followed !== undefined && !followed.includes(keyspace));
  if (missing !== undefined) {
    throw new ConfigError(namesOf('forwardAuth'), 'only keyspaces that are followed (--keyspaces)', missing);
  }
  if (followed !== undefined && asked.length === 0 && !followed.includes(builtinKeyspaceName)) {
    throw new ConfigError(
      namesOf('keyspaces'),
      `${builtinKeyspaceName} among them, or nobody could ask this node anything (--forward-auth can do without)`,
    );
  }
  if (config.serveFeed && followed !== undefined) {
    throw new ConfigError(
      namesOf('serveFeed'),
      'no keyspaces to be named: a relay of a part would make the keys of all others unknown behind it',
    );
  }
  if (config.headersTimeoutMs > config.requestTimeoutMs) {
    throw new ConfigError(namesOf('headersTimeoutMs'), 'no more than request_timeout_ms');
  }
}

function shoutsOf(config: NodeConfig): readonly string[] {
  const shouts: string[] = [];
  if (!isLoopback(config.host) && !config.behindTls) {
    shouts.push(
      'INSECURE: this node listens beyond this machine without TLS: every key that is sent to it can be read on ' +
        'the way. Put a proxy that ends TLS in front and set behind_tls.',
    );
  }
  const plain = (listOf(config.relays) ?? []).filter((relay) => {
    const url = URL.canParse(relay) ? new URL(relay) : undefined;
    return url?.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
  });
  if (plain.length > 0) {
    shouts.push(
      `INSECURE: this node sends its credential to ${plain.join(', ')} without TLS: who reads it on the way can read ` +
        'the feed. Use https.',
    );
  }
  if (config.natsServers !== null && !isBrokerLinkSafe(config.natsServers)) {
    shouts.push(
      'INSECURE: this node sends its credential over a broker without TLS: who reads it on the way can read the ' +
        'feed. Write tls:// in place of nats://.',
    );
  }
  return shouts;
}
