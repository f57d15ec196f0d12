/** What JSON can say; facts are encoded to this, and whoever writes them out does nothing but `JSON.stringify`. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}
