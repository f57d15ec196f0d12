import { InputError } from '../input-error.ts';

/** One of a closed set; the error lists them all. */
export function parseChoice<Choice extends string>(
  text: string,
  choices: readonly Choice[],
  field: string,
): Choice {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new InputError(field, `${JSON.stringify(text)} is not known`, `one of ${choices.join(', ')}`);
}
