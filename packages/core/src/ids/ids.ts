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
export type CampaignId = Branded<'camp'>;
export type ApprovalId = Branded<'appr'>;
export type WebhookId = Branded<'wh'>;
export type SigningKeyId = Branded<'sk'>;
/** Of what the house notes for itself, such as how far a sweep has come. */
export type NoteId = Branded<'note'>;
/** Of an event that could not be delivered, or a job that could not be done. */
export type DeadLetterId = Branded<'dl'>;

export interface IdKinds {
  readonly ws: WorkspaceId;
  readonly ks: KeyspaceId;
  readonly own: OwnerId;
  readonly key: KeyId;
  readonly camp: CampaignId;
  readonly appr: ApprovalId;
  readonly wh: WebhookId;
  readonly sk: SigningKeyId;
  readonly note: NoteId;
  readonly dl: DeadLetterId;
}

export type IdKind = keyof IdKinds;
