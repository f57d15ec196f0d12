/** Where a time lies between 1 ms and the bound: 0 to 1, ten times as long a step as far. */
export function shareOnLogScale(ms: number, boundMs: number): number {
  const decades = Math.log10(Math.max(10, boundMs));
  return Math.min(1, Math.max(0, Math.log10(Math.max(1, ms)) / decades));
}
