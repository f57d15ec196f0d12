/** Why the server refuses to start with these settings. Always names what to change and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The variable, flag or member of the file, as the operator wrote it. */
  readonly setting: string;
  readonly expected: string;

  /** `got` must be safe to print: never the value of a secret. */
  constructor(setting: string, expected: string, got?: string) {
    super(`${setting}: expected ${expected}${got === undefined ? '' : `, got ${got}`}`);
    this.setting = setting;
    this.expected = expected;
  }
}
