/*
 * How each verdict is told from the others: by its place, which is the same in the chart and below it, by its words, and by a
 * colour together with a dash that no other one has. Whoever sees no colour has the dash, the order and the words.
 */

export interface VerdictStyle {
  readonly verdict: string;
  readonly meaning: string;
  /** A variable of the style sheet, without its dashes. */
  readonly colour: string;
  /** Of the line in the chart and of its sample below: lengths of lines and gaps, px. */
  readonly dash: readonly number[];
}

const style = (verdict: string, meaning: string, colour: string, dash: readonly number[]): VerdictStyle => ({
  verdict,
  meaning,
  colour,
  dash,
});

/** From the lowest layer of the chart to the highest. */
export const verdictStyles: readonly VerdictStyle[] = [
  style('stale', 'no verdict (503 stale)', 'stale', [2, 2]),
  style('unknown', 'unknown', 'v1', []),
  style('expired', 'expired', 'v2', [7, 3]),
  style('revoked', 'revoked', 'v4', [3, 3]),
  style('suspended', 'suspended', 'v3', [10, 3, 2, 3]),
  style('insufficient_scope', 'lacks a scope', 'v5', [5, 2]),
  style('wrong_keyspace', 'other keyspace', 'v6', [12, 4]),
  style('malformed', 'not a key', 'shed', [1, 3]),
  style('not_yet_valid', 'not valid yet', 'v1', [8, 2, 1, 2]),
  style('signature_required', 'unsigned', 'v2', [2, 5]),
  style('signature_invalid', 'bad signature', 'v4', [9, 2, 2, 2, 2, 2]),
  style('replayed', 'replayed', 'v6', [4, 6]),
  style('rate_limited', 'rate limited', 'v5', [14, 2, 1, 2]),
  style('valid', 'valid', 'verify', []),
];

const known = new Map(verdictStyles.map((one) => [one.verdict, one]));

/** One that a newer server says has no style of its own yet. */
export function styleOf(verdict: string): VerdictStyle {
  return known.get(verdict) ?? style(verdict, verdict.replaceAll('_', ' '), 'shed', [1, 1]);
}
