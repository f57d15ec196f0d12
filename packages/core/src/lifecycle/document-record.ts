import type { JsonObject } from '../encoding/json.ts';
import type { ApprovalId, CampaignId, NoteId, SigningKeyId, WebhookId, WorkspaceId } from '../ids/ids.ts';

/*
 * A thing that is neither a key nor what keys live in, but has to be written in the same transaction as keys. What
 * its body says is the business of the room that keeps it; a member `state`, if there is one, can be listed by.
 */

export type DocumentId = CampaignId | ApprovalId | WebhookId | SigningKeyId | NoteId;
export const documentKinds = ['camp', 'appr', 'wh', 'sk', 'note'] as const;
export type DocumentKind = (typeof documentKinds)[number];

export interface DocumentRecord {
  readonly id: DocumentId;
  readonly workspaceId: WorkspaceId;
  readonly body: JsonObject;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** 1 when it is made, one more at every change. */
  readonly revision: number;
}

/** The kind that the id's name begins with. */
export function documentKindOf(id: DocumentId): DocumentKind {
  return id.slice(0, id.indexOf('_')) as DocumentKind;
}

/** A document with another body, one revision on. */
export function withBody(document: DocumentRecord, body: JsonObject, nowMs: number): DocumentRecord {
  return { ...document, body, updatedAtMs: nowMs, revision: document.revision + 1 };
}
