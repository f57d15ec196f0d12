import { type AlgorithmName, algorithms, isAlgorithmName } from '../algorithms/algorithms.ts';
import type { JsonObject } from '../encoding/json.ts';
import { Fault } from '../errors/fault.ts';
import { versionsKeptMax } from '../limits/limits.ts';
import type { KeyspaceRecord } from './key-record.ts';

/*
 * What a version of a key can sign requests with. Of a signature algorithm it is the public key, which its holder gave;
 * of a MAC it is the secret derived from the key string, sealed by the authority, so that neither a copy of the store nor
 * the feed holds anything that can sign.
 */
export interface VersionProof {
  /** Of the version that it belongs to. */
  readonly version: number;
  readonly algorithm: AlgorithmName;
  /** base64url without padding, of `proofBytes` bytes. */
  readonly material: string;
}

/** A proof for a version that is about to be minted, and so has no number yet. */
export type NewProof = Omit<VersionProof, 'version'>;

/** A nonce of 12, a secret of 32 and a tag of 16 bytes: AES-256-GCM. */
const sealedSecretBytes = 60;

/** Bytes of the material: the members of the public key one after the other, or the sealed secret. */
export function proofBytes(name: AlgorithmName): number {
  const { kind, jwk } = algorithms[name];
  if (kind === 'mac') return sealedSecretBytes;
  return Object.values(jwk.members).reduce((sum, bytes) => sum + bytes, 0);
}

export function isProofMaterial(name: AlgorithmName, text: unknown): text is string {
  if (typeof text !== 'string' || text.length !== Math.ceil((proofBytes(name) * 4) / 3)) return false;
  return /^[A-Za-z0-9_-]+$/.test(text);
}

/** Where the keyspace wants requests to be signed, a version that can't sign is of no use to anybody. */
export function checkNewProof(keyspace: Pick<KeyspaceRecord, 'proof'>, proof: NewProof | undefined): void {
  if (proof !== undefined || keyspace.proof !== 'signature') return;
  throw new Fault('missing_field', {
    detail: 'The keyspace wants requests to be signed, and this key would have nothing to sign with.',
    field: '/proof',
    expected: 'the public key of an Ed25519 pair, or hmac-sha256 where the key string is minted here',
  });
}

/** The proofs of the versions that are kept, with that of the one just minted. */
export function proofsAfter(
  present: readonly VersionProof[] | undefined,
  minted: { readonly version: number; readonly proof: NewProof | undefined },
): readonly VersionProof[] | undefined {
  const oldest = minted.version - versionsKeptMax;
  const kept = (present ?? []).filter(({ version }) => version > oldest && version < minted.version);
  const { version, proof } = minted;
  const all = proof === undefined ? kept : [...kept, { version, ...proof }];
  return all.length === 0 ? undefined : all;
}

export function encodeProofs(proofs: readonly VersionProof[]): readonly JsonObject[] {
  return proofs.map(({ version, algorithm, material }) => ({ version, algorithm, material }));
}

/** Undefined: not as we write it. Ascending by version, one a version. */
export function decodeProofs(json: unknown): readonly VersionProof[] | undefined {
  if (!Array.isArray(json) || json.length === 0 || json.length > versionsKeptMax) return undefined;
  const proofs: VersionProof[] = [];
  let previous = 0;
  for (const entry of json as readonly unknown[]) {
    const proof = decodeProof(entry);
    if (proof === undefined || proof.version <= previous) return undefined;
    previous = proof.version;
    proofs.push(proof);
  }
  return proofs;
}

function decodeProof(json: unknown): VersionProof | undefined {
  if (typeof json !== 'object' || json === null || Object.keys(json).length !== 3) return undefined;
  const { version, algorithm, material } = json as Readonly<Record<string, unknown>>;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return undefined;
  if (!isAlgorithmName(algorithm) || !isProofMaterial(algorithm, material)) return undefined;
  return { version, algorithm, material };
}
