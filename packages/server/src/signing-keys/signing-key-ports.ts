import type { KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';

/** What private keys are to the rooms above: sealed bytes, and something that signs. */
export interface SigningPorts
  extends Pick<UseCasePorts, 'lanes' | 'reader' | 'verifier' | 'clock' | 'random' | 'shards' | 'catchUp'> {
  readonly vault: KeyVault;
  /** `iss` of what is signed; undefined: no URL is configured by which others could find our keys. */
  readonly issuer: string | undefined;
}

export interface KeyVault {
  newKeyPair(algorithm: SigningAlgorithm): Promise<{
    readonly privateKey: KeyObject;
    readonly publicKey: Uint8Array;
    readonly bytes: Uint8Array;
  }>;
  seal(key: { readonly id: string; readonly publicKey: Uint8Array }, bytes: Uint8Array): Uint8Array;
  /** Undefined: sealed under another master key. */
  open(key: {
    readonly id: string;
    readonly algorithm: SigningAlgorithm;
    readonly publicKey: Uint8Array;
    readonly sealed: Uint8Array;
  }): KeyObject | undefined;
  sign(algorithm: SigningAlgorithm, key: KeyObject, text: string): Promise<string>;
}
