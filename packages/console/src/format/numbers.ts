/* Figures as people read them. All of them are set in tabular numerals, so that they do not dance. */

/** `0`, `4.2`, `417`, `12.4 k`. */
export function rateText(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond < 10) return perSecond.toFixed(1);
  return countText(perSecond);
}

export function countText(count: number): string {
  if (count < 10_000) return Math.round(count).toLocaleString('en');
  if (count < 1_000_000) return `${(count / 1000).toFixed(count < 100_000 ? 1 : 0)} k`;
  return `${(count / 1_000_000).toFixed(2)} M`;
}

/** `417 of 12.4 k`: never two figures that look alike where one is more; then both are written out. */
export function ofText(part: number, whole: number): string {
  const [few, all] = [countText(part), countText(whole)];
  if (few !== all || part === whole) return `${few} of ${all}`;
  return `${part.toLocaleString('en')} of ${whole.toLocaleString('en')}`;
}

/** In percent, and 100.0 only where nothing is left. */
export function progressPercent(part: number, whole: number): number {
  if (part >= whole) return 100;
  return Math.min(99.9, Math.floor((part / Math.max(1, whole)) * 1000) / 10);
}

/** `0.3 ms`, `41 ms`, `2.05 s`, `4 min`. */
export function durationText(ms: number): string {
  if (ms < 0.1) return '<0.1 ms';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

export const secondsText = (seconds: number | null): string =>
  seconds === null ? 'none' : durationText(seconds * 1000);

export function percentText(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  return `${percent.toFixed(percent > 99 || percent < 1 ? 2 : 1)} %`;
}
