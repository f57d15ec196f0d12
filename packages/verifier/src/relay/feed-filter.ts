import { hash } from 'node:crypto';
import type { FeedRow, KeyspaceId, WorkspaceId } from '@keyswarm/core';
import type { FeedStretch } from '../feed/feed-source.ts';

/**
 * What one reader of the feed may see. Owners are rows of their workspace and go to all of its readers: which
 * keyspaces their keys live in is not for a row to say, and a suspended one has to be refused everywhere.
 */
export interface FeedFilter {
  /** Absent: every workspace. */
  readonly workspaceId?: WorkspaceId | undefined;
  /** Only these; absent: all but those in `without`, those to come as well. */
  readonly keyspaces?: ReadonlySet<KeyspaceId> | undefined;
  /** Never these: the built-in keyspace, for whoever may not read it. */
  readonly without?: ReadonlySet<KeyspaceId> | undefined;
}

/** The same text for filters that let the same through. */
export function filterText({ workspaceId, keyspaces, without }: FeedFilter): string {
  const listed = (ids: ReadonlySet<KeyspaceId> | undefined) =>
    ids === undefined ? '*' : [...ids].sort().join();
  return `${workspaceId ?? '*'} ${listed(keyspaces)} ${listed(without)}`;
}

/**
 * The tag of what a filter lets through, to compare and not to read: two filters have the same one only if they are
 * the same. 96 bits, for nobody gains by a collision who couldn't choose the ids of keyspaces.
 */
export function feedView(filter: FeedFilter): string {
  return hash('sha256', `feed view\n${filterText(filter)}`, 'buffer')
    .subarray(0, 12)
    .toString('base64url');
}

export function letsKeyspace({ keyspaces, without }: FeedFilter, id: KeyspaceId): boolean {
  return (keyspaces === undefined || keyspaces.has(id)) && without?.has(id) !== true;
}

function letsRow(filter: FeedFilter, row: FeedRow): boolean {
  if (filter.workspaceId !== undefined && row.workspaceId !== filter.workspaceId) return false;
  const keyspaceId = row.key?.keyspaceId ?? row.keyspace?.id;
  return keyspaceId === undefined || letsKeyspace(filter, keyspaceId);
}

/** The rows that this reader may see; the ends stay, so that it knows that it has missed nothing. */
export function filtered(filter: FeedFilter, stretch: FeedStretch): FeedStretch {
  const rows = stretch.rows.filter((row) => letsRow(filter, row));
  return rows.length === stretch.rows.length ? stretch : { ...stretch, rows };
}

const nothing: FeedRow['data'] = Object.freeze({});

/** Without the details of the event (actor, reason, request): they are no verifier's business. */
export function withoutDetails(stretch: FeedStretch): FeedStretch {
  return { ...stretch, rows: stretch.rows.map((row) => ({ ...row, data: nothing })) };
}
