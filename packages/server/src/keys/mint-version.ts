import { hash } from 'node:crypto';
import {
  type AlgorithmName,
  algorithms,
  assert,
  Fault,
  formatSigningKeyId,
  isBuiltinKeyspace,
  type KeyId,
  type KeyRecord,
  type KeyspaceRecord,
  mintKeyString,
  type NewProof,
  Secret,
} from '@keyswarm/core';
import { deriveMacKey, sealMacKey } from '@keyswarm/verifier/signatures';
import type { UseCasePorts } from '../access/use-case-ports.ts';

/*
 * A new version, as far as it can be made before the write is queued: what decides inside a transaction may run twice
 * and takes no chances. What the version can sign with is settled inside, for the policy of the keyspace may have
 * changed, and the number of a rotated version isn't known before.
 *
 * A version with a public key has no key string at all. Its fingerprint is drawn by chance: nobody knows a string that
 * it is of, so it can't be presented as a bearer, here or anywhere.
 */

/** What the holder wants to sign with; absent: as the keyspace has it. */
export type ProofWish =
  | { readonly kind: 'public key'; readonly algorithm: AlgorithmName; readonly material: string }
  | { readonly kind: 'mac'; readonly algorithm: AlgorithmName };

export type MintPorts = Pick<UseCasePorts, 'random' | 'macKeyOf'>;

export interface MintedVersion {
  /** Undefined: the version signs with a key that only its holder has. */
  readonly secret: Secret | undefined;
  /** SHA-256 of the key string: all that is ever stored of it. */
  readonly fingerprint: Uint8Array;
  readonly proofFor: ProofFor;
}

/** To be called where the write is decided. */
export type ProofFor = (version: VersionToProve) => NewProof | undefined;

export interface VersionToProve {
  readonly keyspace: KeyspaceRecord;
  readonly keyId: KeyId;
  readonly number: number;
  /** As it is before the new version; absent: it is not there yet. */
  readonly key?: KeyRecord | undefined;
}

export function mintVersion(ports: MintPorts, prefix: string, wish?: ProofWish | undefined): MintedVersion {
  if (wish?.kind === 'public key') {
    const { algorithm, material } = wish;
    return {
      secret: undefined,
      fingerprint: ports.random.bytes(32),
      proofFor: () => ({ algorithm, material }),
    };
  }
  const text = mintKeyString(prefix, (count) => ports.random.bytes(count));
  return versionOf(ports, new Secret(text), wish);
}

/** Of a key string that is there already: an operator's own. */
export function versionOf(ports: MintPorts, secret: Secret, wish?: ProofWish | undefined): MintedVersion {
  const nonce = ports.random.bytes(12);
  return {
    secret,
    fingerprint: hash('sha256', secret.reveal(), 'buffer'),
    proofFor(version) {
      const former = formerAlgorithm(version.key);
      if (wish === undefined && former !== undefined && algorithms[former].kind === 'signature')
        throw publicKeyWanted();
      const isWanted =
        wish !== undefined ||
        former !== undefined ||
        version.keyspace.proof === 'signature' ||
        isBuiltinKeyspace(version.keyspace);
      return isWanted ? sealed(ports, secret, { version, nonce }) : undefined;
    },
  };
}

/** The secret that is derived from the key string, sealed for its workspace: it can be opened there and nowhere else. */
function sealed(
  ports: MintPorts,
  secret: Secret,
  { version, nonce }: { readonly version: VersionToProve; readonly nonce: Uint8Array },
): NewProof {
  const { keyId, number, keyspace } = version;
  const macKey = deriveMacKey(secret.reveal());
  const about = { signingKeyId: formatSigningKeyId(keyId, number), nonce };
  const bytes = sealMacKey(ports.macKeyOf(keyspace.workspaceId), macKey, about);
  macKey.fill(0);
  return { algorithm: 'hmac-sha256', material: Buffer.from(bytes).toString('base64url') };
}

/** What the newest version signs with. */
function formerAlgorithm(key: KeyRecord | undefined): AlgorithmName | undefined {
  if (key === undefined) return undefined;
  const newest = key.versions.at(-1);
  assert(newest !== undefined, 'a key has a version');
  return key.traits.proofs?.find(({ version }) => version === newest.number)?.algorithm;
}

/** A key whose holder alone can sign must not come to have a key string because somebody forgot to name the next one. */
function publicKeyWanted(): Fault {
  return new Fault('missing_field', {
    detail: 'The key signs with a key of its holder: its next version needs the public key of the next pair.',
    field: '/proof',
    expected: '{"type": "ed25519", "public_key": …}',
  });
}

/** Of a token, and of an imported key: nobody here has a string from which a secret could be derived. */
export const noProof: ProofFor = () => undefined;

/** A token is its own proof: it says of itself what a signature would be asked for. */
export function refuseProof(wish: ProofWish | undefined): void {
  if (wish === undefined) return;
  throw new Fault('invalid_field', {
    detail: 'The keys of this keyspace are tokens, which sign no requests.',
    field: '/proof',
    expected: 'no proof, or a keyspace whose format is opaque',
  });
}

/** Where a secret has to be there, since no public key was given. */
export function secretOf({ secret }: Pick<MintedVersion, 'secret'>): Secret {
  assert(secret !== undefined, 'a version without a public key has a key string');
  return secret;
}
