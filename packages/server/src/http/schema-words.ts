/*
 * A schema in words, for whoever is told what a field wants. The schema's own words (`x-expected`) come first, since
 * they give an example; without them its type says something. A pattern is never shown.
 */

/** What is read of a schema here. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly 'x-expected'?: string;
}

/** What would have done, such as `a list of scopes, such as ["orders:read"]` or `text or null`. */
export function shapeOf(schema: Schema): string {
  const types = [schema.type ?? []].flat();
  const words = schema['x-expected'];
  if (words !== undefined) return types.includes('null') ? `${words}, or null` : words;
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(', ')}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  return types.map((type) => typeWords[type]?.(schema) ?? type).join(' or ') || 'another value';
}

const typeWords: Readonly<Record<string, (schema: Schema) => string>> = {
  string: () => 'text',
  integer: () => 'a whole number',
  number: () => 'a number',
  boolean: () => 'true or false',
  null: () => 'null',
  array: ({ items }) => (items === undefined ? 'a list' : `a list, each item of it ${shapeOf(items)}`),
  object: ({ properties = {} }) => {
    const names = Object.keys(properties);
    return names.length === 0 ? 'an object' : `an object with the fields ${names.join(', ')}`;
  },
};
