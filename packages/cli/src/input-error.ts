/** What the person typed can't be used. Told with the option's name, before anything was asked of the server. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly field: string;
  readonly expected: string | undefined;

  constructor(field: string, detail: string, expected?: string) {
    super(detail);
    this.field = field;
    this.expected = expected;
  }
}
