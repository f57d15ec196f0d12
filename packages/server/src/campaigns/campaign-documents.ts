import { hash } from 'node:crypto';
import {
  assert,
  type Campaign,
  type CampaignId,
  type DocumentRecord,
  idFromUuidBytes,
  type JsonObject,
  type KeySelector,
  type NoteId,
  noProgress,
  noTotals,
  type ShardProgress,
  uuidBytesOf,
  uuidV7,
  uuidV8FromHash,
  type WorkspaceId,
} from '@keyswarm/core';
import type { Random } from '../runtime/random.ts';

/*
 * What is kept of campaigns, as documents:
 *
 *   the campaign     its terms and where it stands
 *   one note a shard how far it has come there, written in the transaction of the keys
 *   one roster       of each workspace's campaigns that have not ended, so that two that could meet are refused
 *
 * Campaigns and roster of a workspace are of one shard, which makes the look and the entry one transaction.
 */

/** Of the form of the bodies below. */
const bodyFormat = 1;

export interface RosterEntry extends Pick<KeySelector, 'keyspaceIds' | 'ownerId'> {
  readonly id: CampaignId;
}

export function newCampaignId(
  workspaceId: WorkspaceId,
  ports: { readonly nowMs: number; readonly random: Random },
): CampaignId {
  return idFromUuidBytes(
    'camp',
    uuidV7(ports.nowMs, ports.random.bytes(10), uuidBytesOf(workspaceId)[15] ?? 0),
  );
}

export function rosterIdOf(workspaceId: WorkspaceId): NoteId {
  return noteId(`campaigns\0${workspaceId}`, uuidBytesOf(workspaceId)[15] ?? 0);
}

export function progressIdOf(campaignId: CampaignId, shard: number): NoteId {
  return noteId(`campaign\0${campaignId}\0${shard}`, shard);
}

function noteId(name: string, lastByte: number): NoteId {
  const bytes = uuidV8FromHash(hash('sha256', name, 'buffer'));
  bytes[15] = lastByte;
  return idFromUuidBytes('note', bytes);
}

export function campaignOf(document: DocumentRecord): Campaign {
  const { v, totals, ...campaign } = document.body;
  assert(v === bodyFormat, 'a stored campaign has a form that is known');
  const { id, workspaceId } = document;
  // Counts that are younger than the campaign are 0 in it.
  return { ...campaign, totals: { ...noTotals, ...Object(totals) }, id, workspaceId } as unknown as Campaign;
}

export function bodyOfCampaign({ id: _id, workspaceId: _workspaceId, ...rest }: Campaign): JsonObject {
  return { v: bodyFormat, ...rest } as unknown as JsonObject;
}

export function progressOf(document: DocumentRecord | undefined): ShardProgress {
  if (document === undefined) return noProgress;
  const { v, campaign: _campaign, ...progress } = document.body;
  assert(v === bodyFormat, 'a stored progress has a form that is known');
  // One that was written before there was a count of it lacks a member.
  return { ...noProgress, ...progress };
}

export function bodyOfProgress(campaignId: CampaignId, progress: ShardProgress): JsonObject {
  return { v: bodyFormat, campaign: campaignId, ...progress };
}

export function rosterOf(document: DocumentRecord | undefined): readonly RosterEntry[] {
  if (document === undefined) return [];
  assert(document.body.v === bodyFormat, 'a stored roster has a form that is known');
  return document.body.campaigns as unknown as readonly RosterEntry[];
}

export function bodyOfRoster(campaigns: readonly RosterEntry[]): JsonObject {
  return { v: bodyFormat, campaigns } as unknown as JsonObject;
}

/** The document after a change, or the first one. */
export function put<Id extends DocumentRecord['id']>(
  present: DocumentRecord | undefined,
  id: Id,
  workspaceId: WorkspaceId,
  body: JsonObject,
  nowMs: number,
): DocumentRecord {
  if (present === undefined) {
    return { id, workspaceId, body, createdAtMs: nowMs, updatedAtMs: nowMs, revision: 1 };
  }
  return { ...present, body, updatedAtMs: nowMs, revision: present.revision + 1 };
}
