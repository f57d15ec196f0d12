import Type, { type Static } from 'typebox';
import { bulkReply, bulkRequest } from './bulk.ts';
import {
  keyIdField,
  keyspaceIdField,
  nullableTimeField,
  ownerIdField,
  scopesField,
  seqField,
  strictObject,
  timeField,
} from './fields.ts';
import { keyTerms } from './keys.ts';

/*
 * Import: keys of a system that is being replaced keep their own strings. Only a hash comes over, and it is
 * treated as a secret in logs all the same: it is what the table is searched by.
 */

export const keyHash = strictObject(
  {
    format: Type.Enum(['sha256-hex', 'sha256-base64', 'prefixed-api-key'], {
      type: 'string',
      description:
        'SHA-256 of the whole key string in hex or base64, or the long-token hash of a prefixed API key in hex.',
    }),
    value: Type.String({
      minLength: 43,
      maxLength: 64,
      pattern: '^[A-Za-z0-9+/=_-]+$',
      'x-expected': 'a hash in hex or base64, as format says',
      'x-secret': true,
      description: 'The 32 bytes of the hash, as `format` says.',
    }),
  },
  { title: 'KeyHash' },
);

export const keyImport = strictObject({ ...keyTerms, hash: keyHash }, { title: 'KeyImport' });
export const keyImportBulk = bulkRequest('KeyImportBulk', keyImport);

export const keyImported = strictObject(
  {
    id: keyIdField,
    version: Type.Integer({ minimum: 1 }),
    owner_id: ownerIdField,
    keyspace_id: keyspaceIdField,
    scopes: scopesField,
    expires_at: nullableTimeField,
    created_at: timeField,
    seq: seqField,
  },
  { title: 'KeyImported' },
);
export const keyImportedBulk = bulkReply<Static<typeof keyImported>>('KeyImportedBulk', keyImported);

export type KeyHash = Static<typeof keyHash>;
export type KeyImport = Static<typeof keyImport>;
export type KeyImported = Static<typeof keyImported>;
export type KeyImportedBulk = Static<typeof keyImportedBulk>;
