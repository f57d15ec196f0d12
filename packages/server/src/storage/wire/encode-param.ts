/** What the driver sends: null, text, or the bytes of a `bytea` in binary. */
export type WireParam = string | Uint8Array | null;

/**
 * One encoding for both engines, so that a statement means the same on each. Left to themselves the drivers
 * differ: one writes a JavaScript array as an array of the database, the other as JSON where the parameter is
 * json; one sends a Date in the local zone.
 */
export function encodeParams(params: readonly unknown[]): WireParam[] {
  return params.map((param, index) => {
    if (param instanceof Uint8Array) return param;
    const text = encodeText(param);
    if (text === undefined) throw new TypeError(`parameter $${index + 1} is ${describe(param)}`);
    return text;
  });
}

function encodeText(value: unknown): string | null | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      return encodeObject(value);
    default:
      return undefined;
  }
}

function encodeObject(value: object | null): string | null | undefined {
  if (value === null) return null;
  if (value instanceof Date) return encodeDate(value);
  if (Array.isArray(value)) return encodeArray(value);
  return isPlain(value) ? JSON.stringify(value) : undefined;
}

/** ISO 8601 gives years beyond 9999 a sign and six digits; the engine takes neither. */
function encodeDate(date: Date): string {
  if (date.getUTCFullYear() < 1) throw new RangeError('a date before the year 1 is no parameter');
  return date.toISOString().replace(/^\+0*/, '');
}

/** An array literal: every element quoted but null, so that no element's text can be taken for syntax. */
function encodeArray(values: readonly unknown[]): string {
  let literal = '{';
  for (const [index, value] of values.entries()) {
    if (index > 0) literal += ',';
    literal += encodeElement(value, index);
  }
  return `${literal}}`;
}

function encodeElement(value: unknown, index: number): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return `"\\\\x${hexOf(value)}"`;
  const text = encodeText(value);
  if (text === undefined || text === null) throw new TypeError(`element ${index} is ${describe(value)}`);
  if (Array.isArray(value)) return text;
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

/** A class instance in a parameter is a mistake (a Map, a Secret), and its JSON would hide it. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Names the kind of a value, never the value. */
function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? `a ${value.constructor.name}` : typeof value;
}
