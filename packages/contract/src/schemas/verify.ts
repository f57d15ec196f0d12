import { type RefusalCode, refusalCodes } from '@keyswarm/core';
import Type, { type Static, type TObject } from 'typebox';
import {
  requestHeaderNameLengthMax,
  requestHeadersMax,
  requestHeaderValueLengthMax,
  requestMethodLengthMax,
  requestUrlLengthMax,
} from '../wire-limits.ts';
import { bulkReply, bulkRequest } from './bulk.ts';
import {
  externalIdField,
  keyIdField,
  keyspaceIdField,
  keyspaceNameField,
  keyspaceRefField,
  listOf,
  minSeqField,
  nullableTimeField,
  ownerIdField,
  scopesField,
  strictObject,
  timeField,
} from './fields.ts';
import { ownerKindField } from './owners.ts';

/*
 * Verification. `key` is the one unbounded string of the contract: whatever a client sent is a question with
 * an answer, and the answer to a megabyte of rubbish is `malformed`, not a schema error. The body limit bounds it.
 */

const verifyFields = {
  key: Type.String({ 'x-secret': true, description: 'The key string, whatever the client sent.' }),
  keyspace: Type.Optional(keyspaceRefField),
  scopes: Type.Optional(scopesField),
  min_seq: Type.Optional(minSeqField),
};

/** A request as it came to an access point that verifies signatures by asking. */
export const describedRequest = strictObject(
  {
    method: Type.String({
      minLength: 1,
      maxLength: requestMethodLengthMax,
      pattern: '^[!-~]+$',
      'x-expected': 'a method of HTTP, such as GET',
    }),
    url: Type.String({
      minLength: 1,
      maxLength: requestUrlLengthMax,
      pattern: '^[!-~]+$',
      'x-expected': 'an absolute URI in visible ASCII characters',
      description: 'The target URI, absolute, letter by letter as its client sent it, without a fragment.',
    }),
    headers: listOf(
      strictObject({
        name: Type.String({
          minLength: 1,
          maxLength: requestHeaderNameLengthMax,
          pattern: '^[!-~]+$',
          'x-expected': 'the name of a header, such as signature-input',
        }),
        value: Type.String({
          maxLength: requestHeaderValueLengthMax,
          pattern: '^[\\t -~\\u0080-\\u00ff]*$',
          'x-expected': 'the value of a header, without line breaks',
          'x-secret': true,
        }),
      }),
      {
        maxItems: requestHeadersMax,
        description:
          '`signature`, `signature-input`, `content-digest`, and what else is covered; every line of each, in order.',
      },
    ),
    content_digest: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        pattern: '^[!-~ ]+$',
        'x-expected': 'a Content-Digest field, such as sha-256=:…:',
        description:
          'The digest of the content as you have reckoned it, in the form of a `Content-Digest` field. Absent: there was no content.',
      }),
    ),
  },
  { title: 'DescribedRequest' },
);

/** Either a key string, or a request that is signed: `missing_field` where neither is given. */
export const keyVerify = strictObject(
  {
    ...verifyFields,
    key: Type.Optional(verifyFields.key),
    request: Type.Optional(describedRequest),
  },
  { title: 'KeyVerify' },
);
export const keyVerifyItem = strictObject(verifyFields, { title: 'KeyVerifyItem' });
export const keyVerifyBulk = bulkRequest('KeyVerifyBulk', keyVerifyItem);

export const verdictOwner = strictObject(
  { id: ownerIdField, kind: ownerKindField, external_id: externalIdField },
  { title: 'VerdictOwner' },
);

const verdictObject: TObject = strictObject(
  {
    valid: Type.Boolean(),
    code: Type.Enum(['valid', ...refusalCodes], { type: 'string', description: 'Stable: switch on this.' }),
    detail: Type.Optional(
      Type.String({
        description: 'What is wrong with a signed request, where `code` is `signature_invalid`.',
      }),
    ),
    key_id: Type.Optional(keyIdField),
    version: Type.Optional(Type.Integer({ minimum: 1 })),
    owner: Type.Optional(verdictOwner),
    keyspace_id: Type.Optional(keyspaceIdField),
    keyspace: Type.Optional(keyspaceNameField),
    scopes: Type.Optional(scopesField),
    expires_at: Type.Optional(nullableTimeField),
    rotation: Type.Optional(
      strictObject(
        { state: Type.Literal('grace'), retires_at: timeField },
        { description: 'Present when this version is about to be retired: fetch the new one.' },
      ),
    ),
    renew_after: Type.Optional(
      Type.String({
        ...timeField,
        description: 'Present when the holder is asked to renew the key: from then on.',
      }),
    ),
  },
  { title: 'Verdict', description: 'A refusal says its code and nothing of the key.' },
);

export interface ValidVerdictView {
  readonly valid: true;
  readonly code: 'valid';
  readonly key_id: string;
  readonly version: number;
  readonly owner: Static<typeof verdictOwner>;
  readonly keyspace_id: string;
  readonly keyspace: string;
  readonly scopes: readonly string[];
  readonly expires_at: string | null;
  readonly rotation?: { readonly state: 'grace'; readonly retires_at: string };
  readonly renew_after?: string;
}
export interface RefusedVerdictView {
  readonly valid: false;
  readonly code: RefusalCode;
  readonly detail?: string;
}
export type VerdictView = ValidVerdictView | RefusedVerdictView;

export const verdictReply = Type.Unsafe<VerdictView>(verdictObject);
/** An item is a verdict, or `{error: {code: 'stale'}}` where its keyspace's lease has run out. */
export const verdictBulk = bulkReply<VerdictView>('VerdictBulk', verdictObject);

export type KeyVerify = Static<typeof keyVerify>;
export type KeyVerifyItem = Static<typeof keyVerifyItem>;
export type DescribedRequest = Static<typeof describedRequest>;
export type VerdictBulk = Static<typeof verdictBulk>;
