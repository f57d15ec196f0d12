import Type, { type Static } from 'typebox';
import { lineagePageMax } from '../wire-limits.ts';
import { keyIdField, listOf, nullable, nullableTimeField, strictObject, timeField } from './fields.ts';
import { keyStates } from './keys.ts';

/* A rotation as a thing to look at: how far it has got, on what evidence, and what it came out of. */

export const rotationStates = ['none', 'overlapping', 'finished'] as const;

const versionNumber = Type.Integer({ minimum: 1 });
const nullableVersion = nullable<number>(versionNumber);

const timeOrNull = (description: string) => nullable<string>(Object.assign({}, timeField, { description }));

export const rotationReply = strictObject(
  {
    id: keyIdField,
    state: Type.Enum([...rotationStates], {
      type: 'string',
      description:
        '`none`: it was never rotated. `overlapping`: two versions work. `finished`: the last rotation is over, or the key is.',
    }),
    key_state: Type.Enum([...keyStates], {
      type: 'string',
      description: 'Of the key: no version of one that is revoked or expired works, whatever its own state.',
    }),
    version: versionNumber,
    previous_version: nullableVersion,
    asked_at: timeOrNull('When the present version was minted; null for the first.'),
    retires_at: timeOrNull('When the previous version stops working, or stopped.'),
    first_used_at: timeOrNull(
      'The first use of the present version that verifiers told of, about to a second; null: none.',
    ),
    last_used_at: timeOrNull(
      'The last use of the previous version, at most half a minute old while it is in use; null: none.',
    ),
    is_unproven: Type.Boolean({
      description:
        'The present version was never used, and at `retires_at` the previous one stops working all the same.',
    }),
    renew_after: timeOrNull('From when on the holder is asked to renew; null: it is not.'),
    finish: strictObject(
      {
        admitted: Type.Boolean(),
        code: nullable<string>(Type.String()),
        detail: nullable<string>(Type.String()),
      },
      { description: 'Whether finishing it unforced would be admitted now, and why not.' },
    ),
    lineage: strictObject(
      {
        items: listOf(
          strictObject({
            version: versionNumber,
            state: Type.Enum(['active', 'grace', 'retired'], { type: 'string' }),
            minted_at: timeField,
            retires_at: nullableTimeField,
            first_used_at: nullableTimeField,
            last_used_at: nullableTimeField,
          }),
          { maxItems: lineagePageMax, description: 'All versions of the key, the newest first.' },
        ),
        next_before: nullable<number>(
          Type.Integer({ minimum: 1, description: 'The `before` of the next page; null: this is the last.' }),
        ),
      },
      { description: 'As the key itself lives: the versions of one that was revoked do not work.' },
    ),
  },
  { title: 'Rotation' },
);

export const rotationQuery = strictObject({
  before: Type.Optional(
    Type.String({
      pattern: '^[1-9]\\d{0,9}$',
      maxLength: 10,
      'x-expected': 'a whole number from 1 on',
      description: 'Of the lineage only versions before this one.',
      'x-parameter': { schema: { type: 'integer', minimum: 1 } },
    }),
  ),
});

export type RotationReply = Static<typeof rotationReply>;
