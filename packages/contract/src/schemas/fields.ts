import {
  externalIdLengthMax,
  keyspaceNameLengthMax,
  metadataEntriesMax,
  metadataKeyLengthMax,
  metadataValueLengthMax,
  nameLengthMax,
  scopeLengthMax,
  scopesPerKeyMax,
  ttlSecondsMax,
} from '@keyswarm/core';
import Type, { type TArrayOptions, type TSchema } from 'typebox';
import { cursorLengthMax, pageLimitDefault, pageLimitMax } from '../wire-limits.ts';

/*
 * The words that messages are made of. Every string is bounded and excludes what PostgreSQL can't store: NUL,
 * and lone surrogates, which a driver would turn into U+FFFD without a word, so that what is read back is not
 * what was written.
 *
 * A scope, a prefix and a duration are bounded here but judged in the core: a caller is better served by
 * `invalid_scope` than by "does not match pattern".
 *
 * `x-expected` says in words what a schema wants, and stands beside every pattern: it is what a caller is told in place
 * of it. The OpenAPI document leaves it out.
 */

const storable = '^[^\\u0000\\ud800-\\udfff]*$';
/** Also without control characters: names and reasons are printed to terminals and into logs. */
export const printable = {
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$',
  'x-expected': 'text without control characters',
} as const;

/** 26 characters of Crockford's base32; the first carries three bits. */
export const idText = (kind: string) => ({
  pattern: `^${kind}_[0-7][0-9a-hjkmnp-tv-z]{25}$`,
  'x-expected': `an id such as ${kind}_01h455vb4pex5vsknk084sn02q`,
});

/** An object that accepts its own fields and no other. */
export const strictObject = <const P extends Record<string, TSchema>>(
  properties: P,
  options: {
    readonly title?: string;
    readonly description?: string;
    readonly minProperties?: number;
    readonly 'x-expected'?: string;
  } = {},
) => Type.Object(properties, { ...options, additionalProperties: false });

/** No fields at all: what a request without parameters or body content must look like. */
export const nothing = Type.Unsafe<Readonly<Record<string, never>>>(strictObject({}));

/**
 * A value or null, as one schema with two types. Rejected: a union, because the serialiser then validates
 * every value against every branch before it writes it.
 */
export const nullable = <T>(schema: TSchema & { readonly type: string }) =>
  Type.Unsafe<T | null>({ ...schema, type: [schema.type, 'null'] });

/** A list; read-only to the type checker, so that what is stored can be passed on without a copy. */
export const listOf = <const T extends TSchema>(item: T, options: TArrayOptions = {}) =>
  Type.Immutable(Type.Array(item, options));

export const line = (lengthMax: number, description: string) =>
  Type.String({ minLength: 1, maxLength: lengthMax, ...printable, description });

const id = (kind: string, description: string) =>
  Type.String({ ...idText(kind), maxLength: kind.length + 27, description });

export const keyIdField = id('key', 'Id of a key.');
export const ownerIdField = id('own', 'Id of an owner.');
export const keyspaceIdField = id('ks', 'Id of a keyspace.');
export const webhookIdField = id('wh', 'Id of a webhook.');
export const deadLetterIdField = id('dl', 'Id of a dead letter.');
export const campaignIdField = id('camp', 'Id of a campaign.');
export const approvalIdField = id('appr', 'Id of a request for approval.');
export const workspaceIdField = id('ws', 'Id of a workspace.');

/** Says in words what the names of keyspaces and workspaces are made of. */
export const plainName =
  'lower case letters, digits, dots, hyphens and underscores, beginning with a letter or digit';

/** A keyspace name is one segment of a scope, so that `keys:issue:<name>` can be a scope. It can't look like an id. */
export const keyspaceNameField = Type.String({
  minLength: 1,
  maxLength: keyspaceNameLengthMax,
  pattern: '^(?!ks_)[a-z0-9][a-z0-9._-]*$',
  'x-expected': `${plainName}, and not with ks_`,
  description: 'Name of a keyspace: unique in its workspace.',
});

export const keyspaceRefField = Type.String({
  minLength: 1,
  maxLength: keyspaceNameLengthMax,
  pattern: '^[a-z0-9][a-z0-9._-]*$',
  'x-expected': `the id of a keyspace or its name: ${plainName}`,
  description: 'A keyspace, by id or by name.',
});

export const externalIdField = line(externalIdLengthMax, "The owner's id in the caller's own system.");

export const scopeField = Type.String({
  minLength: 1,
  maxLength: scopeLengthMax,
  pattern: storable,
  'x-expected': 'a scope such as orders:read',
});
export const scopesField = listOf(scopeField, {
  maxItems: scopesPerKeyMax,
  'x-expected': 'a list of scopes, such as ["orders:read"]',
  description: 'Scopes such as `orders:read`; the last segment may be `*`.',
});

export const nameField = Type.String({
  maxLength: nameLengthMax,
  ...printable,
  description: 'For people.',
});

export const metadataField = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  maxProperties: metadataEntriesMax,
  propertyNames: { type: 'string', minLength: 1, maxLength: metadataKeyLengthMax, ...printable },
  additionalProperties: {
    type: 'string',
    maxLength: metadataValueLengthMax,
    pattern: storable,
    'x-expected': 'text without NUL and without half a character',
  },
  'x-expected': 'an object of names and texts, such as {"team": "billing"}',
  description:
    'Free text kept with the key. Not a place for secrets: it is shown to whoever may read the key.',
});

/**
 * RFC 3339 with the date and time in full. The pattern is narrower than the format, which also lets a blank
 * stand between them and a minute have 61 seconds: `Date.parse` reads those otherwise or not at all.
 */
export const timeField = Type.String({
  format: 'date-time',
  maxLength: 35,
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$',
  'x-expected': 'a time as in RFC 3339, such as 2030-01-31T12:00:00Z',
});
export const nullableTimeField = nullable<string>(timeField);

export const durationSecondsField = (description: string) =>
  Type.Integer({ minimum: 1, maximum: ttlSecondsMax, description });

/** A secret, shown once. `x-secret` drives log redaction and documentation. */
export const secretField = Type.String({
  'x-secret': true,
  description: 'The key string. Shown once: only its hash is kept.',
});

/*
 * Query parameters are text on the wire and nothing coerces them: their schema is a pattern, and `x-parameter`
 * says what the text means, for the OpenAPI document.
 */
export const limitField = Type.String({
  pattern: '^(?:[1-9]\\d?|1\\d\\d|200)$',
  maxLength: 3,
  'x-expected': `a whole number from 1 to ${pageLimitMax}`,
  description: `Items a page, 1 to ${pageLimitMax}; ${pageLimitDefault} when absent.`,
  'x-parameter': {
    schema: { type: 'integer', minimum: 1, maximum: pageLimitMax, default: pageLimitDefault },
  },
});

export const cursorField = Type.String({
  minLength: 1,
  maxLength: cursorLengthMax,
  pattern: '^[A-Za-z0-9_-]+$',
  'x-expected': 'next_cursor of the page before, as it came',
  description: '`next_cursor` of the page before. Opaque.',
});

export const effectiveByField = Type.String({
  ...timeField,
  description: 'From this instant on no verifier accepts it, whatever the network does.',
});

/** Whole numbers without leading zeros, each exact as a double. */
export const seqPattern = '^(?:0|[1-9]\\d{0,14})\\.(?:0|[1-9]\\d{0,2})\\.(?:0|[1-9]\\d{0,14})$';

export const seqField = Type.String({
  pattern: seqPattern,
  maxLength: 36,
  'x-expected': 'seq of a change, as it came',
  description:
    'Where the change stands in the feed. Opaque: give it as `min_seq` to a verification that must know of it.',
});

export const minSeqField = Type.String({
  ...seqField,
  description:
    '`seq` of a change that the answer must know of: "at least as fresh as". 503 `stale` if that can not be had.',
});
