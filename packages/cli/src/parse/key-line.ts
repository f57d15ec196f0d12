import { InputError } from '../input-error.ts';

/**
 * One key of a file for bulk verification: the bare string, or a JSON object with `secret` or `key`, which is
 * what `key issue --json` prints. An error shows the line's number and nothing of the line.
 */
export function parseKeyLine(text: string, number: number): string {
  if (!text.startsWith('{')) return text.trim();
  const found = secretOf(text);
  if (found === undefined) {
    throw new InputError(
      '--keys-file',
      `line ${number} holds no key`,
      'a key string, or JSON with "secret" or "key"',
    );
  }
  return found;
}

function secretOf(text: string): string | undefined {
  try {
    const parsed: { secret?: unknown; key?: unknown } = JSON.parse(text);
    return [parsed.secret, parsed.key].find((value) => typeof value === 'string');
  } catch {
    return undefined;
  }
}
