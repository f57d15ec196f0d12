import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  algorithms,
  idFromUuidBytes,
  type KeyFact,
  type SigningAlgorithm,
  type SigningKeyFact,
  type SigningKeyId,
  type TokenClaims,
  tokenClaimsText,
  tokenHeaderText,
} from '@keyswarm/core';
import { rawOfJwk } from '../signatures/public-key.ts';
import { signBytes } from '../signatures/sign-bytes.ts';
import { fingerprintOf } from '../verdict/fingerprint.ts';
import {
  keyFact,
  keyId,
  keyString,
  keyspaceId,
  ownerId,
  startMs,
  versionFact,
  workspaceId,
} from './sample-facts.arbitrary.ts';

/* Tokens as the authority signs them, and as it never would. */

export const issuer = 'https://keys.example';

export interface SampleSigner {
  readonly fact: SigningKeyFact;
  readonly privateKey: KeyObject;
}

export function signingKeyId(number: number): SigningKeyId {
  return idFromUuidBytes('sk', fingerprintOf(`signing key ${number}`).slice(0, 16));
}

export function sampleSigner(
  number: number,
  algorithm: SigningAlgorithm = 'ed25519',
  change: Partial<SigningKeyFact> = {},
): SampleSigner {
  const pair =
    algorithm === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey =
    rawOfJwk(algorithms[algorithm], pair.publicKey.export({ format: 'jwk' })) ?? new Uint8Array();
  const fact: SigningKeyFact = {
    id: signingKeyId(number),
    workspaceId: workspaceId(1),
    revision: 1,
    algorithm,
    issuer,
    publicKey,
    state: 'active',
    notBeforeMs: null,
    ...change,
  };
  return { fact, privateKey: pair.privateKey };
}

export function sampleClaims(key: number, change: Partial<TokenClaims> = {}): TokenClaims {
  const now = Math.floor(startMs / 1000);
  return {
    iss: issuer,
    sub: ownerId(1),
    aud: keyspaceId(1),
    client_id: keyId(key),
    scope: 'orders:read',
    exp: now + 3600,
    nbf: now,
    iat: now,
    jti: 'a-random-name-of-it',
    ...change,
  };
}

const encoded = (text: string) => Buffer.from(text).toString('base64url');

/** Signed over exactly this header and these claims. */
export function signedText({ fact, privateKey }: SampleSigner, header: string, claims: string): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  const signature = signBytes(algorithms[fact.algorithm], privateKey, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

export function tokenOf(signer: SampleSigner, claims: TokenClaims): string {
  const { fact } = signer;
  return signedText(
    signer,
    tokenHeaderText(algorithms[fact.algorithm].jose, fact.id),
    tokenClaimsText(claims),
  );
}

/** The key whose secret is this token. */
export function keyOfToken(key: number, token: string, change: Partial<KeyFact> = {}): KeyFact {
  const fingerprint = fingerprintOf(token).slice(0, 16);
  return keyFact(key, { versions: [versionFact(key, 1, { fingerprint })], ...change });
}

/** A token derived of the key with this number. */
export function derivedClaims(key: number, change: Partial<TokenClaims> = {}): TokenClaims {
  const parent = Buffer.from(fingerprintOf(keyString(key)).slice(0, 16)).toString('base64url');
  return sampleClaims(key, { keyswarm: { parent, depth: 1 }, ...change });
}
