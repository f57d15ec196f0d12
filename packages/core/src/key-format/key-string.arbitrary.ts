import fc from 'fast-check';
import { mintKeyString } from './key-format.ts';

export const prefixes: fc.Arbitrary<string> = fc
  .stringMatching(/^[a-z][a-z0-9]{0,7}(_[a-z0-9]{1,5}){0,2}$/)
  .filter((prefix) => prefix.length <= 24);

/** A minted key string: random bytes are drawn by the test, and what the minting asks beyond them is hashed on. */
export const keyStrings: fc.Arbitrary<{ readonly prefix: string; readonly key: string }> = fc
  .record({ prefix: prefixes, bytes: fc.uint8Array({ minLength: 64, maxLength: 64 }) })
  .map(({ prefix, bytes }) => ({ prefix, key: mintKeyString(prefix, repeating(bytes)) }));

function repeating(bytes: Uint8Array): (count: number) => Uint8Array {
  let at = 0;
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      at += 1;
      return ((bytes[at % bytes.length] ?? 0) + at * 7) & 0xff;
    });
}
