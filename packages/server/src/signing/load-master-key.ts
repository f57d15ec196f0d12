import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import type { ServerConfig } from '../config/config-schema.ts';
import type { Random } from '../runtime/random.ts';
import { MasterKey, masterKeyBytes, parseMasterKey } from './master-key.ts';

const expected = '32 bytes in base64 or 64 hexadecimal digits';
const fileName = 'master.key';

/**
 * The master key of the config; in the embedded profile one is made beside the data when none is given. Anywhere
 * else a missing one stops the start: two servers on one database that made a key each could not read one
 * another's replies, and nobody would know until a retry came to the other one.
 */
export function loadMasterKey(config: ServerConfig, random: Random): MasterKey {
  if (config.masterKey !== null) return readKey('KEYSWARM_MASTER_KEY', config.masterKey);
  if (config.masterKeyFile !== null) {
    const text = readIfThere(config.masterKeyFile);
    if (text === undefined) throw new ConfigError('KEYSWARM_MASTER_KEY_FILE', `a file with ${expected}`);
    return readKey('KEYSWARM_MASTER_KEY_FILE', text);
  }
  if (config.profile !== 'embedded') {
    throw new ConfigError('KEYSWARM_MASTER_KEY', `${expected}, since the profile is ${config.profile}`);
  }
  return loadGeneratedKey(config.dataDir, random);
}

/** The one of before a rotation, where it is still at hand. */
export function loadPreviousMasterKey({ previousMasterKey }: ServerConfig): MasterKey | undefined {
  return previousMasterKey === null ? undefined : readKey('KEYSWARM_PREVIOUS_MASTER_KEY', previousMasterKey);
}

function loadGeneratedKey(dataDir: string, random: Random): MasterKey {
  const path = join(dataDir, fileName);
  const present = readIfThere(path) ?? createKeyFile(dataDir, path, random);
  // A copied or restored directory may have lost its modes; the key is ours, so its mode is, too.
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  return readKey(path, present);
}

/**
 * Written aside, synced, and then linked to its name: a reader finds the whole key or none, a crash leaves no
 * half of one, and of two processes that start at once the first link wins and both read the same key.
 */
function createKeyFile(dataDir: string, path: string, random: Random): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const aside = join(dataDir, `.${fileName}.${Buffer.from(random.bytes(8)).toString('hex')}`);
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeSync(file, `${Buffer.from(random.bytes(masterKeyBytes)).toString('base64')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(aside, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    unlinkSync(aside);
  }
  const directory = openSync(dataDir, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
  return readFileSync(path, 'utf8');
}

function readKey(setting: string, text: string): MasterKey {
  const bytes = parseMasterKey(text);
  if (bytes === undefined) throw new ConfigError(setting, expected);
  return new MasterKey(bytes);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
