import { InputError } from '../input-error.ts';

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/**
 * An instant as the wire wants it, unchanged. The server judges it too, but knows neither the option nor the line of
 * a file that it came from. `Date.parse` alone would take the 30th of February for the 2nd of March.
 */
export function parseInstant(text: string, field: string): string {
  const [, year, month, day] = rfc3339.exec(text) ?? [];
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  if (isDay && !Number.isNaN(Date.parse(text))) return text;
  throw new InputError(
    field,
    `${JSON.stringify(text)} is not an instant`,
    'RFC 3339, such as 2030-01-31T12:00:00Z',
  );
}
