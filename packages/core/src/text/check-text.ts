/*
 * Text that comes from outside is checked before it is kept. PostgreSQL can't hold U+0000 in `text` or `jsonb`,
 * and a lone surrogate has no UTF-8, so both would fail deep inside a batch and take its neighbours with them.
 */

/** Can it be stored and sent as it is? */
export function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Length in characters (code points), as JSON Schema and PostgreSQL count, never counting far past `max`. */
export function isWithinLength(text: string, max: number): boolean {
  if (text.length <= max) return true;
  if (text.length > max * 2) return false;
  let count = 0;
  for (const _ of text) count += 1;
  return count <= max;
}

/** Control characters forge lines in logs and terminals; names and identifiers have no use for them. */
export function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}
