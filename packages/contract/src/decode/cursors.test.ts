import { Fault, idFromUuidBytes } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursorLengthMax } from '../wire-limits.ts';
import { decodeEventsCursor, decodeIdCursor, encodeEventsCursor, encodeIdCursor } from './cursors.ts';

const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 });
const seq = fc.oneof(fc.nat(300), fc.maxSafeNat());
const position = fc.record({ epoch: seq, seqs: fc.array(seq, { maxLength: 256 }) });

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'accepted';
  } catch (error) {
    return error instanceof Fault ? `${error.code} ${error.field}` : `threw ${String(error)}`;
  }
};

describe('cursors', () => {
  it('give back the id or the place they were made of', () => {
    fc.assert(
      fc.property(uuid, position, (bytes, place) => {
        const id = idFromUuidBytes('key', bytes);
        expect(decodeIdCursor('key', encodeIdCursor(id))).toBe(id);
        expect(decodeEventsCursor(encodeEventsCursor(place))).toEqual(place);
      }),
    );
  });

  it('fit the wire with 256 shards at the largest numbers', () => {
    const max = Number.MAX_SAFE_INTEGER;
    expect(encodeEventsCursor({ epoch: max, seqs: Array(256).fill(max) }).length).toBeLessThan(
      cursorLengthMax,
    );
  });

  it('are refused when any one character is changed, unless it is still a cursor that was meant so', () => {
    fc.assert(
      fc.property(position, fc.nat(), fc.constantFrom(...'AZaz09-_=+. '), (place, at, char) => {
        const text = encodeEventsCursor(place);
        const index = at % text.length;
        const changed = `${text.slice(0, index)}${char}${text.slice(index + 1)}`;
        const outcome = codeOf(() => encodeEventsCursor(decodeEventsCursor(changed)));
        if (outcome !== 'accepted') expect(outcome).toBe('invalid_field after');
        else expect(encodeEventsCursor(decodeEventsCursor(changed))).toBe(changed);
      }),
    );
  });

  it('are refused when cut off, prolonged, of another kind or of another version', () => {
    const ofKey = encodeIdCursor(idFromUuidBytes('key', new Uint8Array(16).fill(7)));
    const ofEvents = encodeEventsCursor({ epoch: 1, seqs: [1, 200, 3] });
    const laterVersion = Buffer.from([2, 0x65, 1, 0]).toString('base64url');
    // 2^56: a number that would encode back to the same text, and is no longer exact.
    const past2To53 = Buffer.from([1, 0x65, ...Array(8).fill(0x80), 1, 0]).toString('base64url');
    const tooMany = encodeEventsCursor({ epoch: 1, seqs: Array(257).fill(0) });
    const padded = Buffer.from([1, 0x65, 0x81, 0x00, 0]).toString('base64url');
    for (const text of ['', ofKey.slice(0, -1), `${ofKey}A`, ofEvents, `${ofKey}=`]) {
      expect(codeOf(() => decodeIdCursor('key', text))).toBe('invalid_field cursor');
    }
    for (const text of [
      '',
      ofKey,
      ofEvents.slice(0, -2),
      `${ofEvents}AA`,
      laterVersion,
      past2To53,
      padded,
      tooMany,
    ]) {
      expect(codeOf(() => decodeEventsCursor(text))).toBe('invalid_field after');
    }
  });
});
