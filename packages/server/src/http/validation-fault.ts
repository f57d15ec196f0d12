import { Fault, findKeyString } from '@keyswarm/core';
import type { ErrorObject } from 'ajv';

/** Where in a request the value stood that a schema refused. */
export type RequestPart = 'body' | 'querystring' | 'params' | 'headers';

/**
 * A schema's refusal in the caller's words: which field, and what would have done. The value itself is never
 * repeated, since it may be a secret in the wrong place; nor is a member's name that holds a key string.
 */
export function validationFault(error: ErrorObject, part: RequestPart): Fault {
  const { keyword, params } = error;
  if (keyword === 'required') {
    const field = fieldOf(part, error.instancePath, String(params.missingProperty));
    return new Fault('missing_field', { detail: 'This field is required.', field });
  }
  if (keyword === 'additionalProperties') {
    const field = fieldOf(part, error.instancePath, String(params.additionalProperty));
    return new Fault('unknown_field', { detail: 'This field is not known here.', field });
  }
  const field = fieldOf(
    part,
    error.instancePath,
    keyword === 'propertyNames' ? params.propertyName : undefined,
  );
  return new Fault('invalid_field', {
    detail: 'This value is not accepted.',
    field,
    expected: expectedBy(error),
  });
}

/** A JSON pointer for bodies (RFC 6901), the parameter's name elsewhere. */
function fieldOf(part: RequestPart, path: string, member: unknown): string {
  const shown = upToSecret(path);
  const name = String(member);
  const isShown = member !== undefined && shown === path && !findKeyString(name);
  const whole = isShown ? `${path}/${escapePointer(name.slice(0, 128))}` : shown;
  return part === 'body' ? whole : whole.slice(1);
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

const bounds: Readonly<Record<string, string>> = {
  minLength: 'at least # characters',
  maxLength: 'at most # characters',
  minimum: 'at least #',
  maximum: 'at most #',
  minItems: 'at least # items',
  maxItems: 'at most # items',
  minProperties: 'at least # fields',
  maxProperties: 'at most # fields',
};

function expectedBy({ keyword, params, schema, propertyName }: ErrorObject): string {
  const bound = bounds[keyword];
  if (bound !== undefined) return bound.replace('#', String(params.limit));
  if (keyword === 'type') return String(params.type).replaceAll(',', ' or ');
  if (keyword === 'enum') return `one of ${(params.allowedValues as readonly unknown[]).join(', ')}`;
  if (keyword === 'const') return JSON.stringify(params.allowedValue);
  if (keyword === 'format') return params.format === 'date-time' ? 'an RFC 3339 time' : String(params.format);
  if (keyword === 'pattern') return `text that matches ${String(params.pattern)}`;
  if (keyword === 'propertyNames' || propertyName !== undefined) return 'another name for this field';
  return typeof schema === 'string' ? schema : keyword;
}
