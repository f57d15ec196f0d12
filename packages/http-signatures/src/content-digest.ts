import { parseDictionary, serializeByteSequence } from 'structured-headers';
import { structuredFieldBytesMax } from './limits.ts';
import { combinedValue, type FieldLines } from './message.ts';
import { SignatureProblem } from './signature-problem.ts';

/*
 * `Content-Digest`: RFC 9530. Of the algorithms in its registry the two that are not broken; one that isn't known is
 * ignored (section 2) as long as there is one that is.
 */
export const digestAlgorithms = Object.freeze({
  'sha-256': Object.freeze({ name: 'sha-256', node: 'sha256', webCrypto: 'SHA-256', bytes: 32 }),
  'sha-512': Object.freeze({ name: 'sha-512', node: 'sha512', webCrypto: 'SHA-512', bytes: 64 }),
});
export type DigestAlgorithm = (typeof digestAlgorithms)[keyof typeof digestAlgorithms];

export interface Digest {
  readonly algorithm: DigestAlgorithm;
  readonly bytes: Uint8Array;
}

/** Every digest of the content that can be checked: at least one. All of them have to be right. */
export function readContentDigest(fields: FieldLines): readonly Digest[] {
  const value = combinedValue(fields, 'content-digest');
  if (value === undefined) throw new SignatureProblem('absent', 'there is no content-digest');
  if (value.length > structuredFieldBytesMax)
    throw new SignatureProblem('too_large', 'content-digest is too long');
  const digests: Digest[] = [];
  for (const [name, [bytes]] of dictionaryOf(value)) {
    if (!isKnown(name)) continue;
    const algorithm = digestAlgorithms[name];
    if (!(bytes instanceof ArrayBuffer) || bytes.byteLength !== algorithm.bytes)
      throw new SignatureProblem('digest_malformed', `the digest ${name} has not ${algorithm.bytes} bytes`);
    digests.push({ algorithm, bytes: new Uint8Array(bytes) });
  }
  if (digests.length === 0)
    throw new SignatureProblem('digest_unsupported', 'content-digest has neither sha-256 nor sha-512');
  return digests;
}

export function formatContentDigest({ algorithm, bytes }: Digest): string {
  return `${algorithm.name}=${serializeByteSequence(Uint8Array.from(bytes))}`;
}

function dictionaryOf(value: string) {
  try {
    return parseDictionary(value);
  } catch {
    throw new SignatureProblem('digest_malformed', 'content-digest is not a dictionary');
  }
}

function isKnown(name: string): name is keyof typeof digestAlgorithms {
  return Object.hasOwn(digestAlgorithms, name);
}
