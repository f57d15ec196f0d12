import { expect, it } from 'vitest';
import { parseOwnerName } from './owner-name.ts';

it.each([
  ['service:billing', { kind: 'service', external_id: 'billing' }],
  ['user:urn:example:7', { kind: 'user', external_id: 'urn:example:7' }],
])('%s names an owner', (text, owner) => {
  expect(parseOwnerName(text, '--owner')).toEqual(owner);
});

it.each(['billing', 'service:', ':billing', 'robot:r2', ''])(
  '%j names none, and the error says what would',
  (text) => {
    expect(() => parseOwnerName(text, '--owner')).toThrow(
      expect.objectContaining({ field: '--owner', expected: expect.stringContaining('service:billing') }),
    );
  },
);
