import { Fault, timeMsMax } from '@keyswarm/core';

/* Time on the wire: RFC 3339, UTC, milliseconds. Inside it is Unix milliseconds. */

export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function nullableTimeText(timeMs: number | null): string | null {
  return timeMs === null ? null : timeText(timeMs);
}

/**
 * The instant that a caller wrote. A schema has seen the text before, but a pattern can't count days: the 30th
 * of February is refused here (`Date.parse` would call it the 2nd of March), and so is a year that could not be
 * written back in four digits.
 */
export function timeMsOf(text: string, field: string): number {
  const timeMs = Date.parse(text);
  if (!Number.isFinite(timeMs) || timeMs < 0 || timeMs > timeMsMax || !isCalendarDay(text)) {
    throw new Fault('invalid_field', {
      detail: 'This is not an instant between 1970 and 9999.',
      field,
      expected: 'RFC 3339, such as 2030-01-31T12:00:00.000Z',
    });
  }
  return timeMs;
}

/** For an optional field: undefined stays undefined, null stays null. */
export function optionalTimeMsOf<T extends string | null | undefined>(
  text: T,
  field: string,
): number | Exclude<T, string> {
  return typeof text === 'string' ? timeMsOf(text, field) : (text as Exclude<T, string>);
}

function isCalendarDay(text: string): boolean {
  const day = Number(text.slice(8, 10));
  const monthStart = `${text.slice(0, 8)}01T00:00:00Z`;
  return new Date(Date.parse(monthStart) + (day - 1) * 86_400_000).getUTCDate() === day;
}
