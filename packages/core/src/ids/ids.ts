/*
 * Identifiers are TypeIDs: a kind, an underscore and a UUID in 26 characters of Crockford's base32, so that
 * they sort by the time they were made and say what they name.
 */

declare const brand: unique symbol;
type Branded<Kind extends string> = string & { readonly [brand]: Kind };

export type WorkspaceId = Branded<'ws'>;
export type KeyspaceId = Branded<'ks'>;
export type OwnerId = Branded<'own'>;
export type KeyId = Branded<'key'>;
export type SigningKeyId = Branded<'sk'>;

export interface IdKinds {
  readonly ws: WorkspaceId;
  readonly ks: KeyspaceId;
  readonly own: OwnerId;
  readonly key: KeyId;
  readonly sk: SigningKeyId;
}

export type IdKind = keyof IdKinds;
