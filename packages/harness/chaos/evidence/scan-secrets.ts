import type { SecretFound } from '../checker/evidence.ts';

/*
 * Looks for the run's own secrets in text. A secret has a random middle of 27 characters that stands nowhere else, so that it is
 * found whole, cut, or inside something longer; as it is, in the hexadecimal form that PostgreSQL gives bytes, and in base64.
 */

/** As in `core`: 27 characters of base62 after the prefix. */
export const canaryLength = 27;
const run = /[0-9A-Za-z]{27,}/g;
const hexRun = /(?:[0-9a-f]{2}){27,}/g;
const base64Run = /[0-9A-Za-z+/_-]{36,}/g;
/** Longer is data, not a secret in disguise, and decoding it over and over would take minutes. */
const decodedMax = 16_384;

export class SecretScan {
  readonly #canaries = new Map<string, string>();
  readonly #found: SecretFound[] = [];
  readonly #told = new Set<string>();
  #bytes = 0;
  #places = 0;

  /** `of` is told in place of the secret. */
  add(secret: string, of: string): void {
    const canary = canaryOf(secret);
    if (canary !== undefined) this.#canaries.set(canary, of);
  }

  scan(where: string, text: string): void {
    this.#places += 1;
    this.#bytes += text.length;
    this.#look(where, text);
    for (const [hex] of text.matchAll(hexRun)) {
      if (hex.length <= decodedMax) this.#look(where, Buffer.from(hex, 'hex').toString('latin1'));
    }
    for (const [encoded] of text.matchAll(base64Run)) {
      if (encoded.length > decodedMax) continue;
      // It may begin anywhere in a group of four.
      for (let skip = 0; skip < 4; skip += 1)
        this.#look(where, Buffer.from(encoded.slice(skip), 'base64').toString('latin1'));
    }
  }

  result(): { readonly bytes: number; readonly places: number; readonly found: readonly SecretFound[] } {
    return { bytes: this.#bytes, places: this.#places, found: this.#found };
  }

  #look(where: string, text: string): void {
    for (const [letters] of text.matchAll(run)) {
      for (let at = 0; at + canaryLength <= letters.length; at += 1) {
        const of = this.#canaries.get(letters.slice(at, at + canaryLength));
        if (of === undefined || this.#told.has(`${where} ${of}`)) continue;
        this.#told.add(`${where} ${of}`);
        this.#found.push({ where, of });
      }
    }
  }
}

/** The random part of a key string `{prefix}_{27 random}{version}{checksum}`. */
function canaryOf(secret: string): string | undefined {
  const random = secret.slice(secret.lastIndexOf('_') + 1, secret.lastIndexOf('_') + 1 + canaryLength);
  return random.length === canaryLength ? random : undefined;
}
