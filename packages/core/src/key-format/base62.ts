export const base62Alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const invalid = 0xff;
const values = new Uint8Array(128).fill(invalid);
for (let value = 0; value < 62; value += 1) values[base62Alphabet.charCodeAt(value)] = value;

/** Are all of `text[from, to)` base62? */
export function isBase62Between(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    if ((values[text.charCodeAt(at)] ?? invalid) === invalid) return false;
  }
  return true;
}

/** The number that six base62 digits stand for. They may exceed 32 bits, so a comparison refuses those. */
export function base62Number(text: string, from: number): number {
  let high = 0;
  let low = 0;
  for (let at = from; at < from + 3; at += 1) high = high * 62 + (values[text.charCodeAt(at)] ?? 0);
  for (let at = from + 3; at < from + 6; at += 1) low = low * 62 + (values[text.charCodeAt(at)] ?? 0);
  return high * 238_328 + low;
}

/** Six digits, padded with '0' in front. */
export function base62Six(value: number): string {
  let text = '';
  let rest = value;
  for (let digit = 0; digit < 6; digit += 1) {
    text = base62Alphabet.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
