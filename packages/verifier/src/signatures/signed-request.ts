import { hash, timingSafeEqual } from 'node:crypto';
import { signedRequestProfile } from '@keyswarm/core';
import {
  type Digest,
  type FieldLines,
  isRefused,
  isSigned,
  type ReadSignature,
  type RefusedSignature,
  type RequestMessage,
  readContentDigest,
  readSignature,
  SignatureProblem,
} from '@keyswarm/http-signatures';
import { signerClockAheadMsMax } from '../limits.ts';

/** A request as it came to an access point, with its content or what is known of it. */
export interface SignedRequest extends RequestMessage {
  readonly content: RequestContent;
}

/**
 * `digests`: whoever read the content has reckoned them. `unread`: nobody here has seen it; then the digest is signed and
 * whoever reads the content has to compare it.
 */
export type RequestContent =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'digests'; readonly digests: readonly Digest[] }
  | { readonly kind: 'unread' };

export const noContent: RequestContent = Object.freeze({ kind: 'none' });

/** What is wrong with a request's signature beyond its form: in words that hold no value of it. */
export type SignatureRefusal = Omit<RefusedSignature, 'reason'>;

/** Reads all that can be told without a key; a refusal has words for its sender. */
export function readSignedRequest(request: SignedRequest): ReadSignature | SignatureRefusal {
  const { content } = request;
  const hasContent = content.kind !== 'none' && !(content.kind === 'bytes' && content.bytes.length === 0);
  const read = readSignature(request, signedRequestProfile, hasContent);
  if (isRefused(read)) return { detail: read.detail };
  const problem = read.coversDigest ? problemOfDigest(request.fields, content) : undefined;
  return problem === undefined ? read : { detail: problem };
}

export function isUnreadable(read: ReadSignature | SignatureRefusal): read is SignatureRefusal {
  return !('base' in read);
}

/** Is there a signature at all? */
export function bearsSignature(request: { readonly fields: FieldLines }): boolean {
  return isSigned(request);
}

/**
 * Is now within the signature's time, whatever the clocks may show? It ends at the latest that now may be. It may begin a
 * little late, because the clock of the signer isn't ours; nothing is won by dating ahead, since the end is what counts.
 */
export function problemOfTimes(
  { created, expires }: ReadSignature,
  earliestMs: number,
  latestMs: number,
): string | undefined {
  if (!(latestMs < expires * 1000)) return 'expires has passed';
  if (!(created * 1000 <= earliestMs + signerClockAheadMsMax)) return 'created is in the future';
  return undefined;
}

/** Every digest that can be compared has to be right, and one of them has to be compared. */
function problemOfDigest(fields: FieldLines, content: RequestContent): string | undefined {
  let digests: readonly Digest[];
  try {
    digests = readContentDigest(fields);
  } catch (error) {
    if (error instanceof SignatureProblem) return error.message;
    throw error;
  }
  if (content.kind === 'unread') return undefined;
  let compared = 0;
  for (const digest of digests) {
    const actual = actualDigest(digest, content);
    if (actual === undefined) continue;
    compared += 1;
    if (!isEqual(actual, digest.bytes)) return 'content-digest is not that of the content';
  }
  return compared > 0 ? undefined : 'content-digest has none of the digests that were reckoned';
}

const nothing = new Uint8Array();

function actualDigest({ algorithm }: Digest, content: RequestContent): Uint8Array | undefined {
  if (content.kind === 'digests')
    return content.digests.find((given) => given.algorithm.name === algorithm.name)?.bytes;
  return hash(algorithm.node, content.kind === 'bytes' ? content.bytes : nothing, 'buffer');
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
