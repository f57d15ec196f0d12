import {
  approvalStates,
  approvalWaitDefaultSeconds,
  approvalWaitSecondsMax,
  approvalWaitSecondsMin,
  reasonLengthMax,
  scopesPerKeyMax,
} from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import { bulkItemsMax } from '../wire-limits.ts';
import {
  approvalIdField,
  cursorField,
  keyIdField,
  keyspaceIdField,
  keyspaceRefField,
  limitField,
  line,
  listOf,
  metadataField,
  nameField,
  nullable,
  nullableTimeField,
  scopeField,
  scopesField,
  seqField,
  strictObject,
  timeField,
} from './fields.ts';
import { keyTerms } from './keys.ts';
import { ownerRef } from './owners.ts';
import { itemError } from './problem.ts';

/* A key that a second manager has to agree to: the wish, the decision, the collecting. No message but the last holds a secret. */

export const approvalStateField = Type.Enum([...approvalStates], {
  type: 'string',
  description: '`expired` from the instant on at which its wait ends.',
});

export const approvalCreate = strictObject(
  {
    ...keyTerms,
    reason: Type.Optional(line(reasonLengthMax, 'Why, for who decides.')),
    wait_seconds: Type.Optional(
      Type.Integer({
        minimum: approvalWaitSecondsMin,
        maximum: approvalWaitSecondsMax,
        description: `How long it may wait to be decided, and once more to be collected. ${approvalWaitDefaultSeconds} unless given.`,
      }),
    ),
  },
  { title: 'ApprovalCreate' },
);

export const approvalReply = strictObject(
  {
    id: approvalIdField,
    state: approvalStateField,
    keyspace_id: keyspaceIdField,
    owner: ownerRef,
    name: nameField,
    scopes: scopesField,
    ttl_seconds: nullable<number>(
      Type.Integer({ description: 'Of the key; counts from when it is collected.' }),
    ),
    expires_at: nullableTimeField,
    not_before: nullableTimeField,
    metadata: metadataField,
    reason: Type.String(),
    requested_by: keyIdField,
    requested_at: timeField,
    waits_until: Type.String({ ...timeField, description: 'When the wait that it is in ends.' }),
    decided_by: nullable<string>(keyIdField),
    decided_at: nullableTimeField,
    note: Type.String({ description: 'What the decider said to it.' }),
    key_id: nullable<string>(keyIdField),
    revision: Type.Integer({ minimum: 1 }),
  },
  { title: 'Approval' },
);

export const approvalChanged = strictObject(
  { ...approvalReply.properties, seq: seqField },
  { title: 'ApprovalChanged' },
);

export const approvalList = strictObject(
  { items: listOf(approvalReply), next_cursor: nullable<string>(cursorField) },
  { title: 'ApprovalList' },
);

/** By `ids`, or all that wait and match every member of `filter`. */
export const approvalDecide = strictObject(
  {
    decision: Type.Enum(['approve', 'deny'], { type: 'string' }),
    ids: Type.Optional(listOf(approvalIdField, { minItems: 1, maxItems: bulkItemsMax, uniqueItems: true })),
    filter: Type.Optional(
      strictObject(
        {
          keyspace: Type.Optional(keyspaceRefField),
          scopes: Type.Optional(
            listOf(scopeField, {
              maxItems: scopesPerKeyMax,
              description: 'Only requests whose every scope is covered by one of these.',
            }),
          ),
          owner: Type.Optional(ownerRef),
          requested_by: Type.Optional(keyIdField),
          requested_before: Type.Optional(timeField),
        },
        { minProperties: 1 },
      ),
    ),
    note: Type.Optional(line(reasonLengthMax, 'For who asked, and for the audit record.')),
  },
  { title: 'ApprovalDecide' },
);

export const approvalsDecided = strictObject(
  {
    results: listOf(
      strictObject(
        {
          id: approvalIdField,
          state: Type.Optional(approvalStateField),
          error: Type.Optional(itemError),
        },
        { title: 'ApprovalDecided' },
      ),
      { description: 'One for each id, in their order; of a filter, by time of request.' },
    ),
    more: Type.Boolean({ description: 'More requests match the filter than one call decides.' }),
  },
  { title: 'ApprovalsDecided' },
);

export const approvalParams = strictObject({ id: approvalIdField });
export const approvalsQuery = strictObject({
  keyspace: Type.Optional(keyspaceRefField),
  state: Type.Optional(approvalStateField),
  requested_by: Type.Optional(keyIdField),
  cursor: Type.Optional(cursorField),
  limit: Type.Optional(limitField),
});

export type ApprovalCreate = Static<typeof approvalCreate>;
export type ApprovalReply = Static<typeof approvalReply>;
export type ApprovalChanged = Static<typeof approvalChanged>;
export type ApprovalDecide = Static<typeof approvalDecide>;
export type ApprovalsDecided = Static<typeof approvalsDecided>;
