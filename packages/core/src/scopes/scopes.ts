import { scopeLengthMax } from '../limits/limits.ts';

/*
 * A scope is `segment(:segment)*`, such as `orders:read`; its last segment may be `*`. `orders:*` covers
 * everything below `orders:` at any depth, `orders:eu:*` too, but not `orders` itself; `*` alone covers all.
 * "Covers" is a partial order on scopes: reflexive, transitive, antisymmetric. That is what makes narrowing
 * safe: whoever may grant only what it covers can never, in any number of steps, grant more than it had.
 *
 * Every scope that is kept has gone through `isScope`; the functions below `isScope` take that for granted.
 */

const colon = 0x3a;

export interface Scope {
  /** What stands before a closing `*`, colon included; the whole scope if there is no `*`. */
  readonly base: string;
  readonly wildcard: boolean;
}

export function parseScope(text: string): Scope | undefined {
  if (!isScope(text)) return undefined;
  return text.endsWith('*') ? { base: text.slice(0, -1), wildcard: true } : { base: text, wildcard: false };
}

/** Segments are `[a-z0-9][a-z0-9._-]*`; `*` may stand alone as the last one; at most 128 characters. */
export function isScope(text: string): boolean {
  const length = text.length;
  if (length === 0 || length > scopeLengthMax) return false;
  let segmentAt = 0;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === colon) {
      if (at === segmentAt) return false;
      segmentAt = at + 1;
    } else if (code === 0x2a) {
      return at === segmentAt && at === length - 1;
    } else if (!isLowerOrDigit(code) && (at === segmentAt || !isInnerMark(code))) {
      return false;
    }
  }
  return segmentAt < length;
}

/** One segment of a scope: the grammar of a keyspace's name, so that `keys:issue:<keyspace>` is a scope. */
export function isScopeSegment(text: string): boolean {
  return isScope(text) && !text.includes(':') && text !== '*';
}

/** Does any of the granted scopes cover the required one? */
export function covers(granted: readonly string[], required: string): boolean {
  for (const scope of granted) if (scopeCovers(scope, required)) return true;
  return false;
}

export function coversAll(granted: readonly string[], required: readonly string[]): boolean {
  return firstNotCovered(granted, required) === undefined;
}

/** The first of the wanted scopes that the granted ones don't cover; undefined when all are covered. */
export function firstNotCovered(granted: readonly string[], wanted: readonly string[]): string | undefined {
  return wanted.find((scope) => !covers(granted, scope));
}

/** Sorted by code unit, without duplicates: equal sets of scopes become equal lists. */
export function normaliseScopes(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes)].sort();
}

/** A set of granted scopes made ready for many questions; it allocates nothing when asked. */
export interface CompiledScopes {
  covers(required: string): boolean;
}

export function compileScopes(scopes: readonly string[]): CompiledScopes {
  if (scopes.includes('*')) return coversEverything;
  const exact = new Set(scopes);
  const bases = scopes.filter((scope) => scope.endsWith('*')).map((scope) => scope.slice(0, -1));
  return {
    covers(required: string): boolean {
      if (exact.has(required)) return true;
      for (let at = 0; at < bases.length; at += 1) {
        const base = bases[at];
        if (base !== undefined && required.length > base.length && required.startsWith(base)) return true;
      }
      return false;
    },
  };
}

const coversEverything: CompiledScopes = { covers: () => true };

function scopeCovers(granted: string, required: string): boolean {
  if (granted === required || granted === '*') return true;
  if (!granted.endsWith('*')) return false;
  const baseLength = granted.length - 1;
  return required.length > baseLength && required.startsWith(granted.slice(0, baseLength));
}

function isLowerOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

/** `.`, `_` and `-`, anywhere but first. */
function isInnerMark(code: number): boolean {
  return code === 0x2e || code === 0x5f || code === 0x2d;
}
