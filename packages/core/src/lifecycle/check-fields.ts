import { Fault } from '../errors/fault.ts';
import { findKeyString } from '../key-format/key-format.ts';
import {
  metadataEntriesMax,
  metadataKeyLengthMax,
  metadataValueLengthMax,
  nameLengthMax,
  timeMsMax,
} from '../limits/limits.ts';
import { covers, isScope, normaliseScopes } from '../scopes/scopes.ts';
import { hasControlCharacter, isStorableText, isWithinLength } from '../text/check-text.ts';

/*
 * Checks of what a caller gives, shared by the deciders. The wire schema has checked shapes before; these are
 * the rules, and they hold for every way in. Fields are named by JSON pointer into the request (`/scopes/2`).
 */

export interface TextRule {
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** Line breaks and tabs are fine in free text, not in what is listed, logged or typed back. */
  readonly controlCharacters: 'allowed' | 'refused';
}

/** Refuses what can't be stored, is too long, or holds a key string: a secret must not sit in a readable field. */
export function checkText(text: string, field: string, rule: TextRule): string {
  const expected = `${rule.lengthMin} to ${rule.lengthMax} characters`;
  if (typeof text !== 'string') throw new Fault('invalid_field', { detail: 'Not a text.', field, expected });
  if (text.length < rule.lengthMin || !isWithinLength(text, rule.lengthMax)) {
    throw new Fault('invalid_field', { detail: 'The text is too short or too long.', field, expected });
  }
  if (!isStorableText(text)) {
    throw new Fault('invalid_field', {
      detail: 'The text holds U+0000 or half of a surrogate pair.',
      field,
      expected: 'well-formed Unicode without U+0000',
    });
  }
  if (rule.controlCharacters === 'refused' && hasControlCharacter(text)) {
    throw new Fault('invalid_field', {
      detail: 'The text holds a control character.',
      field,
      expected: 'text without control characters',
    });
  }
  if (findKeyString(text)) {
    throw new Fault('invalid_field', {
      detail: 'The text holds a key string, which would be kept and shown in the clear.',
      field,
      expected: 'text without a secret',
    });
  }
  return text;
}

export function checkName(name: string): string {
  return checkText(name, '/name', { lengthMin: 0, lengthMax: nameLengthMax, controlCharacters: 'refused' });
}

/** A copy, so that nothing the caller still holds can change the record later. */
export function checkMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(metadata);
  if (entries.length > metadataEntriesMax) {
    throw new Fault('invalid_field', {
      detail: 'There are too many entries.',
      field: '/metadata',
      expected: `at most ${metadataEntriesMax} entries`,
    });
  }
  for (const [name, value] of entries) {
    checkMetadataName(name);
    checkText(value, `/metadata/${pointerPart(name)}`, {
      lengthMin: 0,
      lengthMax: metadataValueLengthMax,
      controlCharacters: 'allowed',
    });
  }
  return Object.fromEntries(entries);
}

/** Well-formed, not too many, each covered by what the keyspace allows; sorted and without duplicates. */
export function checkScopes(
  scopes: readonly string[],
  rule: { readonly field: string; readonly countMax: number; readonly allowed?: readonly string[] },
): readonly string[] {
  if (scopes.length > rule.countMax) {
    throw new Fault('invalid_field', {
      detail: 'There are too many scopes.',
      field: rule.field,
      expected: `at most ${rule.countMax} scopes`,
    });
  }
  for (const [at, scope] of scopes.entries()) {
    const field = `${rule.field}/${at}`;
    if (typeof scope !== 'string' || !isScope(scope)) {
      throw new Fault('invalid_scope', {
        detail: 'The scope is not well formed.',
        field,
        expected: 'segments of a-z, 0-9, ".", "_" and "-" joined by ":", the last may be "*"',
      });
    }
    if (rule.allowed !== undefined && !covers(rule.allowed, scope)) {
      throw new Fault('scope_not_allowed', {
        detail: `The keyspace does not allow the scope ${scope}.`,
        field,
        expected: `a scope covered by ${rule.allowed.join(', ') || 'none'}`,
      });
    }
  }
  return normaliseScopes(scopes);
}

export function checkInteger(
  value: number,
  field: string,
  bounds: { readonly min: number; readonly max: number; readonly unit: string },
): number {
  if (Number.isSafeInteger(value) && value >= bounds.min && value <= bounds.max) return value;
  throw new Fault('invalid_field', {
    detail: `Not a whole number of ${bounds.unit} within the bounds.`,
    field,
    expected: `${bounds.min} to ${bounds.max} ${bounds.unit}`,
  });
}

export function checkTimeMs(timeMs: number, field: string): number {
  return checkInteger(timeMs, field, { min: 0, max: timeMsMax, unit: 'milliseconds since 1970' });
}

/** `__proto__` is refused: some reader's `object[name] = value` would lose it, or worse. */
function checkMetadataName(name: string): void {
  checkText(name, '/metadata', {
    lengthMin: 1,
    lengthMax: metadataKeyLengthMax,
    controlCharacters: 'refused',
  });
  if (name === '__proto__') {
    throw new Fault('invalid_field', { detail: 'This entry name is reserved.', field: '/metadata' });
  }
}

/** One reference token of a JSON pointer (RFC 6901, section 3). */
function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
