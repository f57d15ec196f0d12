import Type from 'typebox';

/** One choice that sets compatible defaults; see config-schema.ts. */
export const profiles = ['embedded', 'single', 'cluster'] as const;
export type Profile = (typeof profiles)[number];

export type SettingValue = string | number | boolean | null;

/** What the schema of one setting says beyond JSON Schema. */
export interface SettingSchema {
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** In words, for an error and for `config explain`. */
  readonly 'x-expected': string;
  readonly 'x-default': Readonly<Record<Profile, SettingValue>>;
  readonly 'x-secret'?: true;
}

type Defaults = SettingValue | Readonly<Record<Profile, SettingValue>>;

interface About {
  readonly about: string;
  readonly byDefault: Defaults;
}

interface TextAbout extends About {
  readonly expected: string;
  readonly pattern?: string;
  readonly secret?: true;
}

/** A setting that may be absent is null when it is. */
export const optionalText = (about: TextAbout) => Type.Unsafe<string | null>(textSchema(about));
export const text = (about: TextAbout) => Type.Unsafe<string>(textSchema(about));

export const choice = <const Choices extends readonly string[]>(choices: Choices, about: About) =>
  Type.Unsafe<Choices[number]>({
    type: 'string',
    enum: choices,
    ...annotations(about, `one of ${choices.join(', ')}`),
  });

export const yesOrNo = (about: About) =>
  Type.Unsafe<boolean>({ type: 'boolean', ...annotations(about, 'true or false') });

export const whole = (minimum: number, maximum: number, about: About) =>
  Type.Unsafe<number>({
    type: 'integer',
    minimum,
    maximum,
    ...annotations(about, `a whole number from ${minimum} to ${maximum}`),
  });

function textSchema(about: TextAbout): object {
  return {
    type: 'string',
    minLength: 1,
    maxLength: 4096,
    ...(about.pattern === undefined ? {} : { pattern: about.pattern }),
    ...annotations(about, about.expected),
    ...(about.secret ? { 'x-secret': true } : {}),
  };
}

function annotations({ about, byDefault }: About, expected: string): object {
  const perProfile =
    byDefault !== null && typeof byDefault === 'object'
      ? byDefault
      : { embedded: byDefault, single: byDefault, cluster: byDefault };
  return { description: about, 'x-expected': expected, 'x-default': perProfile };
}
