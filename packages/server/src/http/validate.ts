import { Ajv, type ErrorObject } from 'ajv';
import formatsPlugin from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';
import { type RequestPart, validationFault } from './validation-fault.ts';

/*
 * Requests are judged as they came. Fastify's defaults would turn "12" into 12, fill in what is missing and drop
 * what it does not know; each of these hides a mistake from whoever made it, and a dropped `ttl_seconds` with a
 * typo in it is a key that lives for ever.
 */
export function schemaCompiler(): FastifySchemaCompiler<object> {
  const ajv = new Ajv({
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: false,
    allErrors: false,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    // An error carries the schema that it is of: its words stand there.
    verbose: true,
  });
  formatsPlugin.default(ajv, ['date-time']);
  ajv.addVocabulary(['x-secret', 'x-parameter', 'x-expected']);
  return ({ schema, httpPart }) => {
    const validate = ajv.compile(schema);
    const part = (httpPart ?? 'body') as RequestPart;
    return (value: unknown) => {
      if (validate(value)) return true;
      const first = tellingError(validate.errors ?? []);
      return {
        error:
          first === undefined ? new Error('a schema refused without a reason') : validationFault(first, part),
      };
    };
  };
}

/** Of several about one value: that of a choice as a whole, and of a name what is wrong with it. */
function tellingError(errors: readonly ErrorObject[]): ErrorObject | undefined {
  return (
    errors.find(({ keyword }) => keyword === 'anyOf') ??
    errors.find(({ keyword }) => keyword !== 'propertyNames') ??
    errors[0]
  );
}
