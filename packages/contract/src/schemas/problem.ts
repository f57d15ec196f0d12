import { type FaultCode, faultRegistry } from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import { strictObject } from './fields.ts';

/* What goes wrong: a problem document (RFC 9457) for a request, an error object for one item of a bulk. */

export const faultCodes = Object.keys(faultRegistry) as readonly string[] as readonly FaultCode[];

export const problem = Type.Object(
  {
    type: Type.String({ description: 'A URI that names the kind of problem.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable: switch on this.', examples: [...faultCodes] }),
    field: Type.Optional(
      Type.String({ description: 'JSON pointer or parameter name of the offending input.' }),
    ),
    expected: Type.Optional(Type.String({ description: 'What would have been accepted.' })),
    request_id: Type.String(),
  },
  // A fault may carry further public members, such as `last_used_at`.
  { title: 'Problem', additionalProperties: true },
);

/** Why one item of a bulk request was refused; its neighbours are not touched. */
export const itemError = strictObject(
  {
    code: Type.Unsafe<FaultCode>({ type: 'string', description: 'As `code` of a problem.' }),
    detail: Type.String(),
    field: Type.Optional(Type.String()),
  },
  { title: 'ItemError' },
);

export type Problem = Static<typeof problem>;
export type ItemError = Static<typeof itemError>;
/** An item of a bulk reply that was refused. */
export interface ItemRefused {
  readonly error: ItemError;
}
