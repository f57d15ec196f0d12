import { SqlError, sqlstates } from '../sql-error.ts';
import { decodeArray } from './decode-array.ts';
import { decodeTimestamp } from './decode-timestamp.ts';

type Decode = (text: string) => unknown;

/*
 * How a column's text becomes a value, by the OID of its type (pg_type). A type that isn't named here stays
 * text: uuid, numeric, date. Each scalar comes with the OID of its array.
 */
const scalars: readonly (readonly [oid: number, arrayOid: number, decode: Decode])[] = [
  [16, 1000, (text) => text === 't'], // boolean
  [17, 1001, decodeBytes], // bytea
  [20, 1016, decodeBigint], // bigint
  [21, 1005, Number], // smallint
  [23, 1007, Number], // integer
  [26, 1028, Number], // oid
  [25, 1009, asText], // text
  [114, 199, parseJson], // json
  [700, 1021, Number], // real
  [701, 1022, Number], // double precision
  [1043, 1015, asText], // varchar
  [1082, 1182, asText], // date
  [1184, 1185, decodeTimestamp], // timestamptz
  [1700, 1231, asText], // numeric
  [2950, 2951, asText], // uuid
  [3802, 3807, parseJson], // jsonb
  [19, 1003, asText], // name
];

const decoders = new Map<number, Decode>();
for (const [oid, arrayOid, decode] of scalars) {
  decoders.set(oid, decode);
  decoders.set(arrayOid, (text) => decodeArray(text, decode));
}

/** In the shape that the driver asks for. */
export const valueTypes = Object.freeze({
  getTypeParser: (oid: number): Decode => decoders.get(oid) ?? asText,
});

function asText(text: string): string {
  return text;
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

/** `\x` and hexadecimal digits. Its own copy: a slice of the driver's buffer would keep all of that alive. */
function decodeBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

/** A rounded number would be a wrong revision or sequence number that looks right. */
function decodeBigint(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new SqlError({
    sqlstate: sqlstates.numberOutOfRange,
    statement: 'decode bigint',
    said: 'a bigint is beyond the whole numbers that JavaScript can hold',
  });
}
