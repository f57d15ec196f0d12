import { combinedValue, type Message } from './message.ts';
import { buildSignatureBase } from './signature-base.ts';
import { type PresentedSignature, readSignatures } from './signature-fields.ts';
import { type ProblemReason, SignatureProblem } from './signature-problem.ts';

/*
 * One signature of a message under a profile, as far as that can be told without a key and without a clock: it is there
 * once, it says what the profile wants to be said, it covers what the profile wants covered, and the message has all that
 * it covers. What remains is for whoever has them: is the instant within its time, is the nonce new, does the digest fit
 * the content, does the signature fit the base under the key that `keyId` names. Never under an algorithm that the
 * message names: `algorithmClaim` is there to be refused when it differs.
 */

export interface SignatureProfile {
  /** RFC 9421 section 2.3: whose signatures are ours. Any other in the message is none of our business. */
  readonly tag: string;
  /** By name, without parameters. */
  readonly components: readonly string[];
  /** Covered where the message has content. */
  readonly componentsWithContent: readonly string[];
  readonly lifetimeSecondsMax: number;
  readonly nonceLengthMin: number;
  readonly nonceLengthMax: number;
  readonly keyIdLengthMax: number;
}

export interface ReadSignature {
  readonly keyId: string;
  readonly nonce: string;
  /** Unix seconds. */
  readonly created: number;
  readonly expires: number;
  /** What the message says that it was signed with; undefined: it says nothing. */
  readonly algorithmClaim: string | undefined;
  readonly coversDigest: boolean;
  readonly base: string;
  readonly signature: Uint8Array;
}

export interface RefusedSignature {
  readonly reason: ProblemReason;
  readonly detail: string;
}

/** Does the message bear any signature? For whoever chooses between this and a bearer. */
export function isSigned(message: Pick<Message, 'fields'>): boolean {
  return message.fields('signature-input').length > 0 || message.fields('signature').length > 0;
}

/** `hasContent`: the message has content of at least one byte. Never throws for what a message holds. */
export function readSignature(
  message: Message,
  profile: SignatureProfile,
  hasContent: boolean,
): ReadSignature | RefusedSignature {
  try {
    return checked(message, profile, hasContent);
  } catch (error) {
    if (error instanceof SignatureProblem) return { reason: error.reason, detail: error.message };
    throw error;
  }
}

export function isRefused(read: ReadSignature | RefusedSignature): read is RefusedSignature {
  return 'reason' in read;
}

function checked(message: Message, profile: SignatureProfile, hasContent: boolean): ReadSignature {
  const presented = chosen(readSignatures(message.fields), profile.tag);
  const { parameters } = presented;
  const created = secondsOf(parameters, 'created');
  const expires = secondsOf(parameters, 'expires');
  if (expires <= created || expires - created > profile.lifetimeSecondsMax)
    throw new SignatureProblem(
      'lifetime',
      `expires is not within ${profile.lifetimeSecondsMax} s after created`,
    );
  const keyId = textOf(parameters, 'keyid', 1, profile.keyIdLengthMax);
  const nonce = textOf(parameters, 'nonce', profile.nonceLengthMin, profile.nonceLengthMax);
  const plain = new Set(
    presented.components.filter((covered) => covered.parameters.size === 0).map((covered) => covered.name),
  );
  const required = hasContent
    ? [...profile.components, ...profile.componentsWithContent]
    : profile.components;
  for (const name of required) {
    if (!plain.has(name)) throw new SignatureProblem('component_missing', `${name} is not covered`);
  }
  return {
    keyId,
    nonce,
    created,
    expires,
    algorithmClaim: parameters.has('alg') ? textOf(parameters, 'alg', 0, profile.keyIdLengthMax) : undefined,
    coversDigest: plain.has('content-digest'),
    base: buildSignatureBase(message, presented),
    signature: presented.signature,
  };
}

function chosen(presented: readonly PresentedSignature[], tag: string): PresentedSignature {
  const ours = presented.filter(({ parameters }) => parameters.get('tag') === tag);
  const [first] = ours;
  if (first === undefined) throw new SignatureProblem('absent', `no signature has the tag ${tag}`);
  if (ours.length > 1) throw new SignatureProblem('ambiguous', `more than one signature has the tag ${tag}`);
  return first;
}

function secondsOf(parameters: PresentedSignature['parameters'], name: string): number {
  const value = parameters.get(name);
  if (value === undefined) throw new SignatureProblem('parameter_missing', `${name} is missing`);
  if (typeof value !== 'number' || value < 0 || value > 253_402_300_799)
    throw new SignatureProblem('parameter_value', `${name} is not a time in whole seconds`);
  return value;
}

function textOf(
  parameters: PresentedSignature['parameters'],
  name: string,
  min: number,
  max: number,
): string {
  const value = parameters.get(name);
  if (value === undefined) throw new SignatureProblem('parameter_missing', `${name} is missing`);
  if (typeof value !== 'string' || value.length < min || value.length > max)
    throw new SignatureProblem('parameter_value', `${name} is not a string of ${min} to ${max} characters`);
  return value;
}

/** Does the message say that it has content? A length of 0 says that it has none. */
export function claimsContent({ fields }: Pick<Message, 'fields'>): boolean {
  if (fields('transfer-encoding').length > 0) return true;
  const length = combinedValue(fields, 'content-length');
  return length !== undefined && length !== '0';
}
