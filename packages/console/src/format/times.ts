import { durationText } from './numbers.ts';

/** `just now`, `12 s ago`, `in 4 min`. */
export function agoText(instant: string, nowMs: number): string {
  const ms = nowMs - Date.parse(instant);
  if (!Number.isFinite(ms)) return instant;
  if (Math.abs(ms) < 1500) return 'just now';
  const text = durationText(ms < 0 ? -ms : ms).replace(/\.\d+ s/, ' s');
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

/** Local date and time, to the second. */
export function instantText(instant: string | null): string {
  if (instant === null) return 'never';
  const date = new Date(instant);
  if (!Number.isFinite(date.getTime())) return instant;
  return date.toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
}

export function clockText(instant: string): string {
  const date = new Date(instant);
  if (!Number.isFinite(date.getTime())) return instant;
  return date.toLocaleTimeString('sv-SE', { timeStyle: 'medium' });
}
