import { hash } from 'node:crypto';
import { mintKeyString, Secret } from '@keyswarm/core';
import type { Random } from '../runtime/random.ts';

export interface MintedSecret {
  readonly secret: Secret;
  /** SHA-256 of the key string: all that is ever stored of it. */
  readonly fingerprint: Uint8Array;
}

/** Made before the write is queued: what decides inside a transaction may run twice and takes no chances. */
export function mintSecret(prefix: string, random: Random): MintedSecret {
  const text = mintKeyString(prefix, (count) => random.bytes(count));
  return { secret: new Secret(text), fingerprint: hash('sha256', text, 'buffer') };
}
