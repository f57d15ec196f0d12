/**
 * Bounds of latencies, in seconds: six an octave of ten, from 50 µs to 10 s, so that a quantile read from them is off by a
 * quarter at the most wherever it lies. (A dozen bounds, as is usual, are off by a factor of two and a half.) A series
 * is there only once it was observed, which keeps a scrape small.
 */
export const latencyBounds: readonly number[] = [
  ...[50e-6, 70e-6],
  ...[1e-4, 1e-3, 1e-2, 1e-1, 1].flatMap((decade) =>
    [1, 1.5, 2, 3, 5, 7].map((step) => Number((decade * step).toPrecision(2))),
  ),
  10,
];
