import { InputError } from '../input-error.ts';

export function parseWholeNumber(text: string, field: string, max: number, min = 1): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new InputError(
      field,
      `${JSON.stringify(text)} is not accepted`,
      `a whole number from ${min} to ${max}`,
    );
  }
  return value;
}
