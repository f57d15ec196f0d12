import { expect, it } from 'vitest';
import { formatFields, formatTable } from './table.ts';

it('lines columns up by their widest cell, without trailing blanks', () => {
  expect(
    formatTable(
      ['ID', 'STATE'],
      [
        ['a', 'active'],
        ['longer', ''],
      ],
    ),
  ).toBe('ID      STATE\na       active\nlonger');
});

it('lets no control character of foreign text reach the terminal', () => {
  const table = formatTable(['NAME'], [['\u001b[2J\u0007evil\r\nrow\u202e']]);
  expect(table).toBe('NAME\n\ufffd[2J\ufffdevil\ufffd\ufffdrow\ufffd');
  expect(formatFields({ name: 'a\u001b]0;x\u0007' })).not.toContain('\u001b');
});

it('shows what is not set as a dash, and leaves out what is not there', () => {
  expect(formatFields({ id: 'key_1', expires: null, reason: undefined })).toBe('id       key_1\nexpires  -');
});
