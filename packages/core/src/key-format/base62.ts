export const base62Alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A digit is below 62, so that any number of digits OR-ed together stay below this. */
export const base62Bound = 64;

/** One entry for every UTF-16 code unit: no bounds check and no branch for what is not ASCII. */
const values = new Uint8Array(0x1_0000).fill(0xff);
for (let value = 0; value < 62; value += 1) values[base62Alphabet.charCodeAt(value)] = value;

/** The value of a digit; 255 for a character that is none. */
export function base62Value(code: number): number {
  return values[code] as number;
}

/** Are all of `text[from, to)` base62? */
export function isBase62Between(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    if (base62Value(text.charCodeAt(at)) >= base62Bound) return false;
  }
  return true;
}

/** The number that six base62 digits stand for, possibly above 32 bits; -1 if one of them is no digit. */
export function base62Number(text: string, from: number): number {
  const first = base62Value(text.charCodeAt(from));
  const second = base62Value(text.charCodeAt(from + 1));
  const third = base62Value(text.charCodeAt(from + 2));
  const fourth = base62Value(text.charCodeAt(from + 3));
  const fifth = base62Value(text.charCodeAt(from + 4));
  const sixth = base62Value(text.charCodeAt(from + 5));
  if ((first | second | third | fourth | fifth | sixth) >= base62Bound) return -1;
  return ((first * 62 + second) * 62 + third) * 238_328 + ((fourth * 62 + fifth) * 62 + sixth);
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
