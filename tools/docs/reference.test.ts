import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { referencePages } from './reference-pages.ts';

const folder = join(import.meta.dirname, '../../docs/reference');
const pages = referencePages();

describe('docs/reference is what the code says (else: npm run docs)', () => {
  it.each(Object.keys(pages))('%s', (name) => {
    expect(readFileSync(join(folder, name), 'utf8')).toBe(pages[name]);
  });

  it('holds no page that nothing makes any more', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(pages).sort());
  });
});
