import { Fault, timeMsMax } from '@keyswarm/core';

/* Time on the wire: RFC 3339, UTC, milliseconds. Inside it is Unix milliseconds. */

const dayMs = 86_400_000;
const twoDigits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));
let lastDay = Number.NaN;
let lastDayText = '';

/**
 * Every VALID verdict spells a time, and `toISOString` was 3 % of an HTTP verification: the calendar is asked only
 * when the day is another one than last time.
 */
export function timeText(timeMs: number): string {
  const day = Math.floor(timeMs / dayMs);
  if (day !== lastDay) {
    lastDayText = new Date(day * dayMs).toISOString().slice(0, 'YYYY-MM-DDT'.length);
    lastDay = day;
  }
  const ofDayMs = timeMs - day * dayMs;
  const seconds = Math.floor(ofDayMs / 1000);
  const hour = twoDigits[Math.floor(seconds / 3600)];
  const minute = twoDigits[Math.floor(seconds / 60) % 60];
  const ms = ofDayMs - seconds * 1000;
  const zeros = ms < 10 ? '00' : ms < 100 ? '0' : '';
  return `${lastDayText}${hour}:${minute}:${twoDigits[seconds % 60]}.${zeros}${ms}Z`;
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
