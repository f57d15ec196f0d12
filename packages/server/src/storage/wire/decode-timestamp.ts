/*
 * `2026-03-01 12:30:00.123456+00`, as PostgreSQL writes a timestamptz with DateStyle ISO. Read by position,
 * because a page of a snapshot holds tens of thousands of them and a regular expression costs five times more.
 */

/** Unix milliseconds; what is finer is cut off. Infinity and -Infinity are themselves. */
export function decodeTimestamp(text: string): number {
  if (text === 'infinity') return Infinity;
  if (text === '-infinity') return -Infinity;
  return isCommonShape(text) ? decodeCommon(text) : decodeRare(text);
}

/** Four digits of year and no era: all but dates before Christ or after the year 9999. */
function isCommonShape(text: string): boolean {
  return text[4] === '-' && text[10] === ' ' && !text.endsWith('C');
}

function decodeCommon(text: string): number {
  const ms = Date.UTC(
    digits(text, 0, 4),
    digits(text, 5, 7) - 1,
    digits(text, 8, 10),
    digits(text, 11, 13),
    digits(text, 14, 16),
    digits(text, 17, 19),
  );
  // `Date.UTC` takes the years 0 to 99 for those of the twentieth century.
  if (digits(text, 0, 4) < 100) return decodeRare(text);
  let at = 19;
  let fractionMs = 0;
  if (text[at] === '.') {
    let scale = 100;
    for (at += 1; isDigit(text, at); at += 1) {
      fractionMs += Math.floor(scale) * digits(text, at, at + 1);
      scale /= 10;
    }
  }
  return ms + fractionMs - offsetMs(text, at);
}

/** `+00`, `-03:30`, `+05:30:15`. */
function offsetMs(text: string, at: number): number {
  const hours = digits(text, at + 1, at + 3);
  const minutes = text[at + 3] === ':' ? digits(text, at + 4, at + 6) : 0;
  const seconds = text[at + 6] === ':' ? digits(text, at + 7, at + 9) : 0;
  const ms = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return text[at] === '-' ? -ms : ms;
}

const rareShape =
  /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-]\d\d(?::\d\d(?::\d\d)?)?)( BC)?$/;

function decodeRare(text: string): number {
  const match = rareShape.exec(text);
  if (match === null) throw new TypeError('a timestamp has a shape that is not known');
  const [, years, month, day, hour, minute, second, fraction = '', offset = '+00', era] = match;
  const year = era === undefined ? Number(years) : 1 - Number(years);
  const date = new Date(0);
  date.setUTCFullYear(year, Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)));
  return date.getTime() - offsetMs(offset, 0);
}

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
};

function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
}
