/*
 * A schema that has a title stands once under `components.schemas`, and everywhere else as a reference. Two
 * different schemas of one title are a mistake in the contract and stop the build.
 */

export type JsonSchema = Readonly<Record<string, unknown>>;

export class SchemaComponents {
  readonly #byTitle = new Map<string, string>();
  readonly #schemas: Record<string, JsonSchema> = {};

  /** The schema as it stands in the document: plain JSON, titled parts replaced by references. */
  refer(schema: unknown): JsonSchema {
    if (!isRecord(schema)) throw new TypeError('a schema is an object');
    const { title } = schema;
    if (typeof title !== 'string') return this.#copy(schema);
    const text = JSON.stringify(schema);
    const known = this.#byTitle.get(title);
    if (known !== undefined && known !== text) throw new TypeError(`two schemas have the title ${title}`);
    if (known === undefined) {
      this.#byTitle.set(title, text);
      this.#schemas[title] = this.#copy(schema);
    }
    return { $ref: `#/components/schemas/${title}` };
  }

  /** All that were referred to, by title. */
  all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries(Object.entries(this.#schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #copy(schema: JsonSchema): JsonSchema {
    const copy: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      // For whoever is refused; a reader of the document has the pattern and the description.
      if (keyword !== 'x-expected') copy[keyword] = this.#copyKeyword(keyword, value);
    }
    return copy;
  }

  #copyKeyword(keyword: string, value: unknown): unknown {
    if (keyword === 'properties' && isRecord(value)) {
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.refer(part)]));
    }
    const holdsSchema =
      keyword === 'items' || keyword === 'additionalProperties' || keyword === 'propertyNames';
    return holdsSchema && isRecord(value) ? this.refer(value) : structuredClone(value);
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
