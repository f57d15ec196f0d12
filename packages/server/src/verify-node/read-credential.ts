import { Secret } from '@keyswarm/core';
import { ConfigError } from '../config/config-error.ts';
import { variableOf } from '../config/settings-table.ts';
import { credentialLengthMax } from '../limits.ts';
import type { NodeConfig } from './node-config.ts';

/**
 * The key by which the node reads the feed. What it may do, only the relay can say: here it is merely something that
 * may stand in a header. `readFile` is asked once, so a new key in the file takes a restart.
 */
export function readCredential(
  config: Pick<NodeConfig, 'verifierKey' | 'verifierKeyFile'>,
  readFile: (path: string) => string | undefined,
): Secret {
  const setting = variableOf(config.verifierKeyFile === null ? 'verifierKey' : 'verifierKeyFile');
  const text = config.verifierKeyFile === null ? config.verifierKey : readFile(config.verifierKeyFile);
  if (config.verifierKeyFile !== null && text === undefined) {
    throw new ConfigError(
      setting,
      'a file that holds a management key',
      `no file at ${config.verifierKeyFile}`,
    );
  }
  const key = text?.trim() ?? '';
  if (key.length > credentialLengthMax || !/^[\x21-\x7e]+$/.test(key)) {
    throw new ConfigError(setting, 'one management key, in printable ASCII and without blanks');
  }
  return new Secret(key);
}
