/** Figures for people: three digits say all that a run on a shared machine knows. */

export function rate(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}

export function millis(value: number | null): string {
  if (value === null) return '–';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function percent(share: number): string {
  if (share === 0) return '0';
  const value = share * 100;
  return value < 0.1 ? '< 0.1' : value < 10 ? value.toFixed(1) : value.toFixed(0);
}
