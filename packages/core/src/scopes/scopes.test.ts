import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { plainScopes, scopeLists, scopes } from './scopes.arbitrary.ts';
import {
  compileScopes,
  covers,
  coversAll,
  firstNotCovered,
  isScope,
  isScopeSegment,
  normaliseScopes,
  parseScope,
} from './scopes.ts';

const grammar = /^(\*|[a-z0-9][a-z0-9._-]*(:[a-z0-9][a-z0-9._-]*)*(:\*)?)$/;

describe('a scope', () => {
  it('is segments joined by colons, of which the last may be *', () => {
    const good = [
      'a',
      '*',
      'orders:read',
      'orders:*',
      'a:b:c:*',
      '0.x_y-z',
      'keys:issue:orders-live',
      'a'.repeat(128),
    ];
    for (const scope of good) expect(isScope(scope), scope).toBe(true);
    const bad = [
      '',
      ':',
      'a:',
      ':a',
      'a::b',
      '*:a',
      'a*',
      '**',
      'a:*:b',
      'A',
      'a b',
      '-a',
      'a:-b',
      'ä',
      'a\u0000',
      'a'.repeat(129),
      'a:**',
      '.a',
    ];
    for (const scope of bad) expect(isScope(scope), scope).toBe(false);
  });

  it('is what the grammar says', () => {
    checkProperty(
      fc.property(fc.oneof(scopes, fc.stringMatching(/^[ab1:*._A-]{0,10}$/)), (text) => {
        expect(isScope(text)).toBe(text.length <= 128 && grammar.test(text));
      }),
      process.env,
      1000,
    );
  });

  it('is parsed into what it is the base of', () => {
    expect(parseScope('orders:*')).toEqual({ base: 'orders:', wildcard: true });
    expect(parseScope('*')).toEqual({ base: '', wildcard: true });
    expect(parseScope('orders')).toEqual({ base: 'orders', wildcard: false });
    expect(parseScope('orders:')).toBeUndefined();
  });

  it('has segments that can be names of keyspaces', () => {
    expect(isScopeSegment('orders-live')).toBe(true);
    for (const text of ['*', 'a:b', '', 'A']) expect(isScopeSegment(text)).toBe(false);
  });
});

describe('covering', () => {
  it('goes down from a wildcard at any depth, and never up or aside', () => {
    expect(covers(['orders:*'], 'orders:read')).toBe(true);
    expect(covers(['orders:*'], 'orders:eu:read')).toBe(true);
    expect(covers(['orders:*'], 'orders:eu:*')).toBe(true);
    expect(covers(['orders:*'], 'orders')).toBe(false);
    expect(covers(['orders:*'], 'orders2:read')).toBe(false);
    expect(covers(['orders:*'], '*')).toBe(false);
    expect(covers(['orders'], 'orders:read')).toBe(false);
    expect(covers(['orders:read'], 'orders:*')).toBe(false);
    expect(covers(['*'], 'orders:*')).toBe(true);
    expect(covers([], 'orders')).toBe(false);
  });

  it('does not stretch to what is no scope but looks like the base of one', () => {
    expect(covers(['orders:*'], 'orders:')).toBe(false);
    expect(compileScopes(['orders:*']).covers('orders:')).toBe(false);
  });

  it('is reflexive: a scope covers itself', () => {
    checkProperty(
      fc.property(scopes, (scope) => covers([scope], scope)),
      process.env,
    );
  });

  it('is transitive: what is covered by something covered is covered', () => {
    checkProperty(
      fc.property(scopes, scopes, scopes, (one, two, three) => {
        fc.pre(covers([one], two) && covers([two], three));
        expect(covers([one], three)).toBe(true);
      }),
      process.env,
    );
  });

  it('is antisymmetric: two scopes that cover each other are the same', () => {
    checkProperty(
      fc.property(scopes, scopes, (one, other) => {
        fc.pre(covers([one], other) && covers([other], one));
        expect(one).toBe(other);
      }),
      process.env,
      100,
    );
  });

  it('means having every plain scope that the covered one has', () => {
    checkProperty(
      fc.property(scopes, scopes, plainScopes, (one, other, plain) => {
        if (covers([one], other) && covers([other], plain)) expect(covers([one], plain)).toBe(true);
      }),
      process.env,
    );
  });
});

describe('narrowing', () => {
  it('never widens: what a narrowed list covers, the list it was narrowed from covers', () => {
    checkProperty(
      fc.property(scopeLists, scopeLists, scopeLists, scopes, (granted, wanted, further, asked) => {
        const narrowed = wanted.filter((scope) => covers(granted, scope));
        const narrowedAgain = further.filter((scope) => covers(narrowed, scope));
        expect(coversAll(granted, narrowed)).toBe(true);
        expect(coversAll(granted, narrowedAgain)).toBe(true);
        if (covers(narrowedAgain, asked)) expect(covers(granted, asked)).toBe(true);
      }),
      process.env,
    );
  });

  it('names the first scope that is too much', () => {
    expect(firstNotCovered(['a:*', 'b'], ['a:x', 'b', 'c', 'd'])).toBe('c');
    expect(firstNotCovered(['a:*'], ['a:x'])).toBeUndefined();
    expect(firstNotCovered(['*'], [])).toBeUndefined();
  });
});

describe('a compiled list', () => {
  it('answers as the list does', () => {
    checkProperty(
      fc.property(scopeLists, scopes, (granted, required) => {
        expect(compileScopes(granted).covers(required)).toBe(covers(granted, required));
      }),
      process.env,
      1000,
    );
  });
});

describe('normalising', () => {
  it('sorts, drops duplicates, changes no meaning and can be repeated', () => {
    checkProperty(
      fc.property(scopeLists, scopes, (list, asked) => {
        const normal = normaliseScopes(list);
        expect(normaliseScopes(normal)).toEqual(normal);
        expect(normaliseScopes([...list].reverse())).toEqual(normal);
        expect(new Set(normal)).toEqual(new Set(list));
        expect(covers(normal, asked)).toBe(covers(list, asked));
        for (let at = 1; at < normal.length; at += 1)
          expect((normal[at - 1] ?? '') < (normal[at] ?? '')).toBe(true);
      }),
      process.env,
    );
  });
});
