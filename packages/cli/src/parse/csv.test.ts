import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCsvLine } from './csv.ts';

it.each([
  ['a,b,c', ['a', 'b', 'c']],
  ['', ['']],
  [',', ['', '']],
  ['"a,b",c', ['a,b', 'c']],
  ['"say ""hi""",', ['say "hi"', '']],
])('%j', (line, cells) => {
  expect(parseCsvLine(line)).toEqual(cells);
});

it.each(['"open', '"a"b,c', '"a""'])('refuses %j: its quotes do not close where they should', (line) => {
  expect(parseCsvLine(line)).toBeUndefined();
});

it('reads back every list of cells that was written with quotes', () => {
  const cell = fc.string().map((text) => text.replaceAll(/[\r\n]/g, ' '));
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1 }), (cells) => {
      const line = cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
      expect(parseCsvLine(line)).toEqual(cells);
    }),
  );
});
