import fc from 'fast-check';

/** Few segments, so that scopes of a test often lie within each other. */
const segments = fc.constantFrom('a', 'b', 'c1', 'x.y', 'p-q_r');

export const plainScopes: fc.Arbitrary<string> = fc
  .array(segments, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(':'));

export const scopes: fc.Arbitrary<string> = fc
  .tuple(fc.array(segments, { maxLength: 3 }), fc.constantFrom('*', 'a', 'b'))
  .map(([parts, last]) => [...parts, last].join(':'));

export const scopeLists: fc.Arbitrary<readonly string[]> = fc.array(scopes, { maxLength: 6 });
