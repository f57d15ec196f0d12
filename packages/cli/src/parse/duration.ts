import { InputError } from '../input-error.ts';

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * Reads `90d`, `12h`, `1h30m`, `45s`, `2w`. A bare number is refused: whoever writes `--ttl 90` has a unit in
 * mind, and it is seldom seconds.
 */
export function parseDurationSeconds(text: string, field: string): number {
  const parts = [...text.matchAll(/(\d+)([smhdw])/g)];
  const whole = parts.map((part) => part[0]).join('');
  if (parts.length === 0 || whole !== text) {
    throw new InputError(
      field,
      `${JSON.stringify(text)} is not a duration`,
      'a duration such as 90d, 12h, 1h30m or 45s',
    );
  }
  const seconds = parts.reduce((sum, part) => sum + Number(part[1]) * (secondsOf[part[2] ?? ''] ?? 0), 0);
  if (!Number.isSafeInteger(seconds))
    throw new InputError(field, `${text} is too long`, 'a shorter duration');
  return seconds;
}

/** The largest two units, for people: `2d 3h`, `45s`, `120ms`. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.max(0, Math.round(durationMs))}ms`;
  let seconds = Math.round(durationMs / 1_000);
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = secondsOf[unit] ?? 1;
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
