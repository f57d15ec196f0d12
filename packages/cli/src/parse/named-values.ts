import { InputError } from '../input-error.ts';

/** Reads `name=value`, each time it is given. */
export function parseNamedValues(
  pairs: readonly string[] | undefined,
  field: string,
): Record<string, string> | undefined {
  if (pairs === undefined) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new InputError(field, `${JSON.stringify(pair)} has no name`, 'name=value');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
