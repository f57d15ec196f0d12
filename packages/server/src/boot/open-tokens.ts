import type { KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '@keyswarm/core';
import type { AppliedObserver } from '@keyswarm/verifier';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { ServerConfig } from '../config/config-schema.ts';
import { isLoopback } from '../config/is-loopback.ts';
import type { Log } from '../logging/log.ts';
import { KeySeal, type MasterKeys } from '../signing/seal-key.ts';
import { newKeyPair, privateKeyOf, SignPool } from '../signing/sign-text.ts';
import { resealSigningKeys } from '../signing-keys/reseal-signing-keys.ts';
import type { KeyVault, SigningPorts } from '../signing-keys/signing-key-ports.ts';
import { SigningRing } from '../signing-keys/signing-ring.ts';
import { createTokenIssuer } from '../tokens/issue-token.ts';
import { StatusLists } from '../tokens/status-lists.ts';
import { StatusPlaces } from '../tokens/status-places.ts';
import type { TokenIssuer } from '../tokens/token-ports.ts';

export interface OpenTokens {
  readonly signing: SigningPorts;
  readonly tokens: TokenIssuer;
  readonly statusLists: StatusLists;
}

type TokenGround = Pick<
  UseCasePorts,
  'lanes' | 'reader' | 'verifier' | 'clock' | 'random' | 'shards' | 'catchUp'
> & {
  readonly config: ServerConfig;
  readonly masterKeys: MasterKeys;
  /** No later than the authority's clock. */
  readonly earliestMs: () => number;
  readonly log: Log;
};

/** What signs tokens, over the parts of a server that is up; private keys of before a new master key are sealed anew. */
export async function openTokens(ground: TokenGround): Promise<OpenTokens> {
  const { config, masterKeys, log, earliestMs, ...ports } = ground;
  const seal = new KeySeal(masterKeys, ports.random);
  await resealAll(ground, seal);
  const signing: SigningPorts = { ...ports, vault: vaultOf(seal), issuer: issuerOf(config) };
  const ring = new SigningRing(signing);
  const tokens = createTokenIssuer({
    ring,
    places: new StatusPlaces(ports),
    reader: ports.reader,
    random: ports.random,
    nowMs: () => Math.floor(earliestMs()),
  });
  return { signing, tokens, statusLists: new StatusLists(ports, ring) };
}

/** Beside whoever else is told of what is applied. */
export function heardBy(observer: AppliedObserver, lists: () => StatusLists | undefined): AppliedObserver {
  return {
    applied(stretch) {
      observer.applied(stretch);
      const known = lists();
      if (known !== undefined) for (const row of stretch.rows) known.heard(row);
    },
    reloaded(applied) {
      observer.reloaded(applied);
      lists()?.reloaded();
    },
  };
}

async function resealAll({ log, ...ports }: TokenGround, seal: KeySeal): Promise<void> {
  const { resealed, unreadable } = await resealSigningKeys(ports, (key) => {
    const opened = seal.open(key);
    if (opened === undefined) return undefined;
    return opened.isCurrent ? 'current' : seal.seal(key, opened.bytes);
  });
  if (resealed > 0) log.info({ signingKeys: resealed }, 'signing keys were sealed under the new master key');
  if (unreadable > 0) {
    log.error(
      { signingKeys: unreadable },
      'signing keys are sealed under a master key that is not known here: give it as KEYSWARM_PREVIOUS_MASTER_KEY',
    );
  }
}

function vaultOf(seal: KeySeal): KeyVault {
  const pool = new SignPool();
  return {
    newKeyPair,
    seal: (key, bytes) => seal.seal(key, bytes),
    open(key): KeyObject | undefined {
      const opened = seal.open(key);
      return opened && privateKeyOf(key.algorithm, opened.bytes);
    },
    sign: (algorithm: SigningAlgorithm, key, text) => pool.sign(algorithm, key, text),
  };
}

/** Where only this machine can reach the server, its address is as good a name as any. */
function issuerOf({ publicUrl, host, port }: ServerConfig): string | undefined {
  if (publicUrl !== null) return publicUrl;
  if (port === 0 || !isLoopback(host)) return undefined;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
