/** The parameters of a statement, by their numbers. What they are is for the statement to say; a wrong one is a bug here. */
export class Params {
  readonly #values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  number(place: number): number {
    return this.#values[place - 1] as number;
  }

  text(place: number): string {
    return this.#values[place - 1] as string;
  }

  textOrNull(place: number): string | null {
    return (this.#values[place - 1] ?? null) as string | null;
  }

  numberOrNull(place: number): number | null {
    return (this.#values[place - 1] ?? null) as number | null;
  }

  flag(place: number): boolean {
    return this.#values[place - 1] === true;
  }

  texts(place: number): readonly string[] {
    return this.#values[place - 1] as readonly string[];
  }

  numbers(place: number): readonly number[] {
    return this.#values[place - 1] as readonly number[];
  }

  flags(place: number): readonly boolean[] {
    return this.#values[place - 1] as readonly boolean[];
  }

  textsOrNull(place: number): readonly (string | null)[] {
    return this.#values[place - 1] as readonly (string | null)[];
  }

  numbersOrNull(place: number): readonly (number | null)[] {
    return this.#values[place - 1] as readonly (number | null)[];
  }

  instant(place: number): number {
    return Date.parse(this.text(place));
  }

  instants(place: number): readonly number[] {
    return this.texts(place).map((text) => Date.parse(text));
  }

  instantsOrNull(place: number): readonly (number | null)[] {
    return this.textsOrNull(place).map((text) => (text === null ? null : Date.parse(text)));
  }

  /** JSON texts, parsed. */
  jsons(place: number): readonly unknown[] {
    return this.textsOrNull(place).map((text) => (text === null ? null : (JSON.parse(text) as unknown)));
  }

  has(place: number): boolean {
    return this.#values.length >= place;
  }
}

/** The item of an array that another one goes with. */
export function at<Item>(items: readonly Item[], index: number): Item {
  return items[index] as Item;
}
