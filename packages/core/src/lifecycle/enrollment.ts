import type { JsonObject } from '../encoding/json.ts';
import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import {
  enrollmentUsesMax,
  externalIdLengthMax,
  metadataEntriesMax,
  metadataKeyLengthMax,
  ttlSecondsMax,
} from '../limits/limits.ts';
import { firstNotCovered } from '../scopes/scopes.ts';
import { changeKey } from './admit.ts';
import { checkInteger, checkText } from './check-fields.ts';
import type { KeyRecord, OwnerKind } from './key-record.ts';

/*
 * An enrollment key: it opens nothing, and can be exchanged a limited number of times for a lasting key. Its own record
 * is the template: the scopes, the metadata and the keyspace of what it makes are its own, and so is the owner
 * where that is fixed. What is left stands here.
 *
 * Uses are counted in the record, and the key that is made is written in the same transaction: there is no moment at
 * which one of the two is done and the other is not.
 */

export interface EnrollmentTerms {
  readonly usesLeft: number;
  readonly usesMax: number;
  /** Who may hold what it makes; null: the owner of the enrollment key and nobody else. */
  readonly ownerRule: OwnerRule | null;
  /** How long what it makes lives; null: as the keyspace has it. */
  readonly keyTtlSeconds: number | null;
  /** Entries of the metadata that whoever exchanges it may name. */
  readonly claims: readonly string[];
  /** Does what it made end with it? */
  readonly cascade: boolean;
}

export interface OwnerRule {
  readonly kinds: readonly OwnerKind[];
  /** What the external id has to begin with; empty: anything. */
  readonly externalIdPrefix: string;
}

export interface OwnerName {
  readonly kind: OwnerKind;
  readonly externalId: string;
}

export function checkEnrollment(terms: EnrollmentTerms): EnrollmentTerms {
  checkInteger(terms.usesMax, '/uses', { min: 1, max: enrollmentUsesMax, unit: 'uses' });
  const { keyTtlSeconds, claims, ownerRule } = terms;
  if (keyTtlSeconds !== null) {
    checkInteger(keyTtlSeconds, '/key_ttl_seconds', { min: 1, max: ttlSecondsMax, unit: 'seconds' });
  }
  if (claims.length > metadataEntriesMax) {
    throw new Fault('invalid_field', {
      detail: 'There are too many claims.',
      field: '/claims',
      expected: `at most ${metadataEntriesMax} names`,
    });
  }
  for (const [at, name] of claims.entries()) {
    checkText(name, `/claims/${at}`, {
      lengthMin: 1,
      lengthMax: metadataKeyLengthMax,
      controlCharacters: 'refused',
    });
  }
  if (ownerRule !== null) checkOwnerRule(ownerRule);
  return terms;
}

/** The enrollment key after one more use; its Fault when there is none left. */
export function useEnrollment(key: KeyRecord, nowMs: number): KeyRecord {
  const terms = enrollmentOf(key);
  if (terms.usesLeft < 1) {
    throw new Fault('enrollment_used_up', {
      detail: `It was exchanged ${terms.usesMax} times, which is as often as it may be.`,
      expected: 'another enrollment key',
    });
  }
  const enrollment = encodeEnrollment({ ...terms, usesLeft: terms.usesLeft - 1 });
  return changeKey(key, { traits: { ...key.traits, enrollment } }, nowMs);
}

/** The owner of what is made: who was asked for, if the rule allows it. */
export function enrolledOwner(
  { ownerRule }: EnrollmentTerms,
  fixed: OwnerName,
  asked: OwnerName | undefined,
): OwnerName {
  if (ownerRule === null) {
    const isSame =
      asked === undefined || (asked.kind === fixed.kind && asked.externalId === fixed.externalId);
    if (isSame) return fixed;
    throw notAllowed('The enrollment key is bound to another owner.', '/owner', 'no owner, or that one');
  }
  const { kinds, externalIdPrefix } = ownerRule;
  if (asked === undefined) {
    throw new Fault('missing_field', {
      detail: 'The enrollment key is bound to no owner, so one has to be named.',
      field: '/owner',
      expected: 'kind and external_id of who will hold the key',
    });
  }
  if (!kinds.includes(asked.kind)) {
    throw notAllowed(`No owner of the kind ${asked.kind} may be enrolled.`, '/owner/kind', kinds.join(', '));
  }
  // An id that is the bare prefix is one for all, which the rule was made against.
  if (!asked.externalId.startsWith(externalIdPrefix) || asked.externalId.length === externalIdPrefix.length) {
    const expected = `${externalIdPrefix} and more`;
    throw notAllowed('No owner of such a name may be enrolled.', '/owner/external_id', expected);
  }
  return asked;
}

/** Those that were asked for, if the template covers them; all of it if none were. */
export function enrolledScopes(
  template: readonly string[],
  asked: readonly string[] | undefined,
): readonly string[] {
  if (asked === undefined) return template;
  const excess = firstNotCovered(template, asked);
  if (excess === undefined) return asked;
  throw new Fault('scope_not_allowed', {
    detail: `The enrollment key does not give the scope ${excess}.`,
    field: `/scopes/${asked.indexOf(excess)}`,
    expected: `a scope covered by ${template.join(', ') || 'none'}`,
  });
}

/** The template's metadata and the claims that may be made; what the template says is not to be claimed otherwise. */
export function enrolledMetadata(
  template: Readonly<Record<string, string>>,
  allowed: readonly string[],
  claims: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  for (const name of Object.keys(claims)) {
    if (allowed.includes(name) && !Object.hasOwn(template, name)) continue;
    throw new Fault('invalid_field', {
      detail: 'The enrollment key does not let its holder claim this.',
      field: `/claims/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      expected: allowed.join(', ') || 'no claims',
    });
  }
  return { ...template, ...claims };
}

export function enrollmentOf(key: Pick<KeyRecord, 'traits'>): EnrollmentTerms {
  const { enrollment } = key.traits;
  assert(enrollment !== undefined, 'asked only of an enrollment key');
  return decodeEnrollment(enrollment);
}

export function encodeEnrollment(terms: EnrollmentTerms): JsonObject {
  const { ownerRule } = terms;
  return {
    uses_left: terms.usesLeft,
    uses_max: terms.usesMax,
    owner_rule:
      ownerRule === null
        ? null
        : { kinds: [...ownerRule.kinds], external_id_prefix: ownerRule.externalIdPrefix },
    key_ttl_seconds: terms.keyTtlSeconds,
    claims: [...terms.claims],
    cascade: terms.cascade,
  };
}

/** Of what the store gave back: what is not as it was written is a bug, and no use is given away on the strength of it. */
function decodeEnrollment(stored: JsonObject): EnrollmentTerms {
  const { uses_left: usesLeft, uses_max: usesMax, key_ttl_seconds: keyTtlSeconds, claims, cascade } = stored;
  assert(Number.isSafeInteger(usesLeft) && Number.isSafeInteger(usesMax), 'stored uses are whole numbers');
  assert(typeof cascade === 'boolean' && Array.isArray(claims), 'a stored enrollment is whole');
  return {
    usesLeft: Number(usesLeft),
    usesMax: Number(usesMax),
    ownerRule: decodeOwnerRule(stored.owner_rule),
    keyTtlSeconds: typeof keyTtlSeconds === 'number' ? keyTtlSeconds : null,
    claims: claims.map(String),
    cascade,
  };
}

function decodeOwnerRule(stored: unknown): OwnerRule | null {
  if (stored === null) return null;
  const { kinds, external_id_prefix: externalIdPrefix } = stored as Readonly<Record<string, unknown>>;
  assert(Array.isArray(kinds) && typeof externalIdPrefix === 'string', 'a stored rule of owners is whole');
  return { kinds: kinds as OwnerKind[], externalIdPrefix };
}

function checkOwnerRule({ kinds, externalIdPrefix }: OwnerRule): void {
  if (kinds.length === 0) {
    throw new Fault('invalid_field', {
      detail: 'No kind of owner is allowed.',
      field: '/owner_rule/kinds',
      expected: 'at least one of service, integration and user',
    });
  }
  checkText(externalIdPrefix, '/owner_rule/external_id_prefix', {
    lengthMin: 0,
    lengthMax: externalIdLengthMax - 1,
    controlCharacters: 'refused',
  });
}

function notAllowed(detail: string, field: string, expected: string): Fault {
  return new Fault('owner_not_allowed', { detail, field, expected });
}
