import { readFileSync } from 'node:fs';
import type { ReplyOf } from '@keyswarm/contract';
import { describe, expect, it } from 'vitest';
import { styleOf, verdictStyles } from './verdict-styles.ts';

/** Every code that a verdict has: one that is missing here, or too many, is an error of its type. */
const codes: Readonly<Record<ReplyOf<'verifyKey'>['code'], true>> = {
  valid: true,
  malformed: true,
  unknown: true,
  not_yet_valid: true,
  expired: true,
  revoked: true,
  suspended: true,
  insufficient_scope: true,
  wrong_keyspace: true,
  signature_required: true,
  signature_invalid: true,
  replayed: true,
  rate_limited: true,
};

const sheet = readFileSync(new URL('../../styles/base.css', import.meta.url), 'utf8');
const light = blockOf(':root {');
const dark = blockOf(':root[data-theme="dark"] {');
const darkBySystem = blockOf(':root[data-theme="system"] {');

describe('every verdict is told from every other', () => {
  it('by a style of its own, for each that there is', () => {
    const verdicts = verdictStyles.map(({ verdict }) => verdict);
    expect(new Set(verdicts)).toEqual(new Set(['stale', ...Object.keys(codes)]));
    expect(verdicts).toHaveLength(new Set(verdicts).size);
  });

  it('without colour: by a dash that no other refusal has, and by its words', () => {
    const refusals = verdictStyles.filter(({ verdict }) => verdict !== 'valid');
    expect(new Set(refusals.map(({ dash }) => dash.join(' '))).size).toBe(refusals.length);
    expect(new Set(verdictStyles.map(({ meaning }) => meaning)).size).toBe(verdictStyles.length);
  });

  it('by colours that differ from those of the layers beside it', () => {
    for (const [layer, { colour }] of verdictStyles.entries()) {
      expect(colour).not.toBe(verdictStyles[layer + 1]?.colour);
    }
  });

  it.each([
    ['light', light],
    ['dark', dark],
    ['dark by the system', darkBySystem],
  ])('in colours that hold 3 to 1 against the ground of a card (WCAG 1.4.11): %s', (_name, theme) => {
    const ground = luminance(theme.get('surface') ?? '');
    for (const { colour, verdict } of verdictStyles) {
      const own = luminance(theme.get(colour) ?? '');
      const contrast = (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
      expect(contrast, verdict).toBeGreaterThanOrEqual(3);
    }
  });

  it('also one that a newer server says', () => {
    expect(styleOf('brand_new')).toMatchObject({ meaning: 'brand new' });
  });
});

function blockOf(selector: string): ReadonlyMap<string, string> {
  const from = sheet.indexOf(selector);
  const block = sheet.slice(from, sheet.indexOf('}', from));
  return new Map(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', hex = '']) => [name, hex]),
  );
}

/** Relative luminance, WCAG 2.1. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
