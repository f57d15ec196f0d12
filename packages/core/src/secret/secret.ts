const mask = '[secret]';

/**
 * A string that must not leak by accident. Logging it, joining it into a message, serialising it or inspecting
 * it prints `[secret]`; the one way to the value is `reveal()`, which is easy to find in a review. The value is
 * a private field, so neither a spread nor a structured clone carries it away.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  /** Node's `util.inspect`, and so `console.log` and every logger built on it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return mask;
  }
}
