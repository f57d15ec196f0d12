export interface Range {
  readonly min: number;
  readonly max: number;
}

/** How a command of the harness tells what is wrong with what it was given. */
export type Fault = new (message: string) => Error;

export function numberOption(name: string, text: string, { min, max }: Range, Refusal: Fault): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max) return value;
  throw new Refusal(`${name}: expected a number from ${min} to ${max}, got ${JSON.stringify(text)}`);
}

export function wholeOption(name: string, text: string, range: Range, Refusal: Fault): number {
  const value = numberOption(name, text, range, Refusal);
  if (Number.isSafeInteger(value)) return value;
  throw new Refusal(`${name}: expected a whole number, got ${JSON.stringify(text)}`);
}
