const width = 120;
const height = 28;

/** The last two minutes as a line; the figure beside it is what counts. */
export function Sparkline({ values, kept }: { readonly values: readonly number[]; readonly kept: number }) {
  const top = Math.max(1e-9, ...values);
  const step = width / Math.max(1, kept - 1);
  const start = width - (values.length - 1) * step;
  const points = values.map(
    (value, at) =>
      `${(start + at * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`,
  );
  if (points.length < 2) return <svg class="spark" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />;
  const line = points.join(' ');
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <polygon class="spark-area" points={`${start.toFixed(1)},${height} ${line} ${width},${height}`} />
      <polyline class="spark-line" points={line} />
    </svg>
  );
}
