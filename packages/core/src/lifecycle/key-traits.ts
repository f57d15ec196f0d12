import type { JsonObject } from '../encoding/json.ts';
import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import { parseId } from '../ids/id-codec.ts';
import type { KeyId } from '../ids/ids.ts';
import { tokensPerKeyMax } from '../limits/limits.ts';
import { decodeProofs, encodeProofs, type VersionProof } from './version-proof.ts';

/*
 * What few keys have. An ordinary key has none of it, and then neither its row, its fact nor its place in a
 * verifier's memory holds a byte for it.
 */

/** Where the status of one version's token stands: of a key in a keyspace of the format `jwt`. */
export interface TokenStatus {
  readonly version: number;
  /** Which of the keyspace's lists, and the place in it. */
  readonly list: number;
  readonly index: number;
  /** When the token expires: its place says nothing after that. */
  readonly expiresAtMs: number;
}

export interface KeyTraits {
  /** From when on its holder is asked to renew it: by a campaign or by the keyspace's schedule. */
  readonly renewAfterMs?: number;
  /** The campaign that asked last, so that no campaign asks twice and two don't ask at once. */
  readonly campaign?: string;
  /** The key that this one hangs on: it is refused while that one is. */
  readonly parentId?: KeyId;
  /** It can be exchanged for lasting keys, and for nothing else: it is never VALID. */
  readonly enrollment?: JsonObject;
  /** What its versions can sign requests with; ascending. */
  readonly proofs?: readonly VersionProof[];
  /** Of every version whose token may not have expired, ascending: also of those that the record no longer carries. */
  readonly tokens?: readonly TokenStatus[];
  /** Of a management key: the one that issued it. Whoever asks for something is not to agree to it by a key of its own making. */
  readonly issuedBy?: KeyId;
  /** Of a management key: who else was handed a secret of it, for each version that the record still has. */
  readonly handedTo?: readonly HandedTo[];
  /** The enrollment key for which it was given. Whether it hangs on it, too, `parentId` says. */
  readonly enrolledBy?: KeyId;
  /** Its holder renewed it last so. */
  readonly renewed?: RenewedTrait;
  /** Somebody named the instant at which it ends, so that no renewal moves it. */
  readonly endsFixed?: true;
}

export interface HandedTo {
  readonly number: number;
  readonly keyId: KeyId;
}

export interface RenewedTrait {
  /** The version that was made for its holder, which no manager has ever had. */
  readonly number: number;
  /** How long the key was given at first; null: no renewal moves its end. */
  readonly lifeMs: number | null;
}

export const noTraits: KeyTraits = Object.freeze({});

/** The traits with these proofs in place of those that were there. */
export function withProofs(traits: KeyTraits, proofs: readonly VersionProof[] | undefined): KeyTraits {
  if (proofs === traits.proofs) return traits;
  if (proofs !== undefined) return { ...traits, proofs };
  const { proofs: _former, ...others } = traits;
  return Object.keys(others).length === 0 ? noTraits : others;
}

/** As the store keeps it; null: none. */
export function encodeKeyTraits(traits: KeyTraits): JsonObject | null {
  const { renewAfterMs, campaign, parentId, enrollment, issuedBy, enrolledBy, renewed, endsFixed } = traits;
  const { tokens, handedTo, proofs } = traits;
  const present = {
    ...(renewAfterMs === undefined ? {} : { renew_after_ms: renewAfterMs }),
    ...(campaign === undefined ? {} : { campaign }),
    ...(parentId === undefined ? {} : { parent_id: parentId }),
    ...(enrollment === undefined ? {} : { enrollment }),
    ...(proofs === undefined ? {} : { proofs: encodeProofs(proofs) }),
    ...(tokens === undefined
      ? {}
      : { tokens: tokens.map((one) => [one.version, one.list, one.index, one.expiresAtMs]) }),
    ...(issuedBy === undefined ? {} : { issued_by: issuedBy }),
    ...(handedTo === undefined ? {} : { handed_to: handedTo.map(({ number, keyId }) => [number, keyId]) }),
    ...(enrolledBy === undefined ? {} : { enrolled_by: enrolledBy }),
    ...(renewed === undefined ? {} : { renewed: { number: renewed.number, life_ms: renewed.lifeMs } }),
    ...(endsFixed === undefined ? {} : { ends_fixed: true }),
  };
  return Object.keys(present).length === 0 ? null : present;
}

/** Of what the store gave back: what is not as it was written is a bug. */
export function decodeKeyTraits(stored: Readonly<Record<string, unknown>> | null): KeyTraits {
  if (stored === null) return noTraits;
  const { renew_after_ms: renewAfterMs, campaign, enrollment, renewed, tokens } = stored;
  const parentId = keyIdOf(stored.parent_id);
  const enrolledBy = keyIdOf(stored.enrolled_by);
  const proofs = decodeProofs(stored.proofs);
  assert((stored.proofs === undefined) === (proofs === undefined), 'stored proofs are as they were written');
  const issuedBy = keyIdOf(stored.issued_by);
  return {
    ...(typeof renewAfterMs === 'number' ? { renewAfterMs } : {}),
    ...(typeof campaign === 'string' ? { campaign } : {}),
    ...(parentId === undefined ? {} : { parentId }),
    ...(enrollment === undefined ? {} : { enrollment: enrollment as JsonObject }),
    ...(proofs === undefined ? {} : { proofs }),
    ...(tokens === undefined ? {} : { tokens: decodeTokens(tokens) }),
    ...(issuedBy === undefined ? {} : { issuedBy }),
    ...(stored.handed_to === undefined ? {} : { handedTo: decodeHandedTo(stored.handed_to) }),
    ...(enrolledBy === undefined ? {} : { enrolledBy }),
    ...(renewed === undefined ? {} : { renewed: decodeRenewed(renewed) }),
    ...(stored.ends_fixed === true ? { endsFixed: true } : {}),
  };
}

function decodeTokens(stored: unknown): readonly TokenStatus[] {
  assert(Array.isArray(stored), 'stored tokens are a list');
  return stored.map((one) => {
    const [version, list, index, expiresAtMs] = Array.isArray(one) ? one.map(Number) : [];
    assert(
      version !== undefined && list !== undefined && index !== undefined && expiresAtMs !== undefined,
      'a stored token has its place',
    );
    return { version, list, index, expiresAtMs };
  });
}

function decodeHandedTo(stored: unknown): readonly HandedTo[] {
  assert(Array.isArray(stored), 'those who were handed a secret are a list');
  return stored.map((one) => {
    const [number, id]: readonly unknown[] = Array.isArray(one) ? one : [];
    const keyId = keyIdOf(id);
    assert(typeof number === 'number' && keyId !== undefined, 'a secret is handed to a key');
    return { number, keyId };
  });
}

/** The tokens of a key with one more, without those that have expired. */
export function withToken(traits: KeyTraits, token: TokenStatus, nowMs: number): KeyTraits {
  const live = (traits.tokens ?? []).filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  if (live.length < tokensPerKeyMax) return { ...traits, tokens: [...live, token] };
  throw new Fault('rotation_in_progress', {
    detail: `${tokensPerKeyMax} earlier tokens of this key have not expired yet, and have to be listed as revoked until then.`,
    field: 'id',
  });
}

function keyIdOf(stored: unknown): KeyId | undefined {
  const id = typeof stored === 'string' ? parseId('key', stored) : undefined;
  assert(
    (stored === undefined) === (id === undefined),
    'what stands for a key in the store is the id of one',
  );
  return id;
}

function decodeRenewed(stored: unknown): RenewedTrait {
  const { number, life_ms: lifeMs } = stored as Readonly<Record<string, unknown>>;
  assert(
    typeof number === 'number' && (lifeMs === null || typeof lifeMs === 'number'),
    'a stored renewal is whole',
  );
  return { number, lifeMs };
}
