import { Fault, findKeyString } from '@keyswarm/core';
import type { ErrorObject } from 'ajv';
import { nearNames } from '../access/near-names.ts';
import { type Schema, shapeOf } from './schema-words.ts';

/** As much of a field's name as a refusal repeats: of one that is not known, whatever stood there. */
const fieldNameLengthMax = 128;

/** Where in a request the value stood that a schema refused. */
export type RequestPart = 'body' | 'querystring' | 'params' | 'headers';

/**
 * A schema's refusal in the caller's words: which field, and what would have done. The value itself is never
 * repeated, since it may be a secret in the wrong place; nor is a member's name that holds a key string.
 */
export function validationFault(error: ErrorObject, part: RequestPart): Fault {
  const { keyword, params, instancePath } = error;
  const schema = schemaOf(error);
  if (keyword === 'required') {
    const name = String(params.missingProperty);
    const wanted = schema.properties?.[name];
    return new Fault('missing_field', {
      detail: 'This field is required.',
      field: fieldOf(part, instancePath, name),
      ...(wanted === undefined ? {} : { expected: shapeOf(wanted) }),
    });
  }
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty);
    return new Fault('unknown_field', {
      detail: 'This field is not known here.',
      field: fieldOf(part, instancePath, name),
      expected: oneOf(Object.keys(schema.properties ?? {}), name),
    });
  }
  if (keyword === 'type' && part === 'body' && instancePath === '') {
    return new Fault('invalid_field', {
      detail: 'The body has to be a JSON object.',
      field: '',
      expected: 'a JSON object',
    });
  }
  return new Fault('invalid_field', {
    detail: 'This value is not accepted.',
    field: fieldOf(part, instancePath, keyword === 'propertyNames' ? params.propertyName : undefined),
    expected: expectedBy(error),
  });
}

/** Ajv gives it where it is verbose (validate.ts). */
function schemaOf({ parentSchema }: ErrorObject): Schema {
  return (parentSchema ?? {}) as Schema;
}

/** A JSON pointer for bodies (RFC 6901), the parameter's name elsewhere. */
function fieldOf(part: RequestPart, path: string, member: unknown): string {
  const shown = upToSecret(path);
  const name = String(member);
  const isShown = member !== undefined && shown === path && !findKeyString(name);
  const whole = isShown ? `${path}/${escapePointer(name)}` : shown;
  // An escape (`~1`) that would be cut in two is left out.
  const bounded = whole
    .split('/')
    .map((step) =>
      step.length > fieldNameLengthMax ? step.slice(0, fieldNameLengthMax).replace(/~$/, '') : step,
    )
    .join('/');
  return part === 'body' ? bounded : bounded.slice(1);
}

/** A pointer that ends before the first name with a key string in it: at what that name stands in. */
function upToSecret(path: string): string {
  const names = path.split('/');
  const secretAt = names.findIndex((name) => findKeyString(name));
  return secretAt === -1 ? path : names.slice(0, secretAt).join('/');
}

function escapePointer(member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The names that are known, and the one that may have been meant. */
function oneOf(names: readonly string[], given: string): string {
  if (names.length === 0) return 'no fields';
  const near = nearNames(given, names);
  const hint = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
  return `one of ${names.join(', ')}${hint}`;
}

const bounds: Readonly<Record<string, readonly [limit: string, unit: string]>> = {
  minLength: ['at least', 'character'],
  maxLength: ['at most', 'character'],
  minimum: ['at least', ''],
  maximum: ['at most', ''],
  minItems: ['at least', 'item'],
  maxItems: ['at most', 'item'],
  minProperties: ['at least', 'field'],
  maxProperties: ['at most', 'field'],
};

function expectedBy(error: ErrorObject): string {
  const { keyword, propertyName } = error;
  if (keyword === 'propertyNames') return 'another name for this field';
  // What is wrong is a name, and the field that is shown is the one it stands in.
  return propertyName === undefined ? wantedBy(error) : `names that are each ${wantedBy(error)}`;
}

function wantedBy(error: ErrorObject): string {
  const { keyword, params } = error;
  const schema = schemaOf(error);
  const words = schema['x-expected'];
  const bound = bounds[keyword];
  if (bound === undefined) {
    return keyword === 'format' && words === undefined ? 'an RFC 3339 time' : shapeOf(schema);
  }
  const [limit, unit] = bound;
  const names = Object.keys(schema.properties ?? {});
  if (keyword === 'minProperties' && names.length > 0)
    return `${limit} ${params.limit} of ${names.join(', ')}`;
  const units = unit === '' ? '' : ` ${unit}${params.limit === 1 ? '' : 's'}`;
  return `${words === undefined ? '' : `${words}, `}${limit} ${params.limit}${units}`;
}
