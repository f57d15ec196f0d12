import { shardsMax } from '../limits/limits.ts';
import { readSigningKeyFact } from '../signing/signing-key-fact.ts';
import { type BadRow, decodeWith, readKeyFact, readKeyspaceFact, readOwnerFact } from './decode-facts.ts';
import { feedRowFormat } from './encode-facts.ts';
import { isEventData } from './event-data.ts';
import type { FactReader } from './fact-reader.ts';
import { type EventType, eventTypes, type FeedRow, type SubjectId } from './facts.ts';

/**
 * One row of the feed out of JSON. A bad row quarantines its shard, so the answer is a value and nothing throws,
 * whatever `json` is. A row must also agree with itself: a `key.*` row carries the key it speaks of together
 * with that key's owner and keyspace, an `owner.*` row its owner alone, a `keyspace.*` row its keyspace alone, a
 * `signing_key.*` row its signing key, and a row of anything else no fact at all.
 */
export function decodeFeedRow(json: unknown): FeedRow | BadRow {
  return decodeWith(readFeedRow, json, 'row');
}

const rowMembers = [
  'v',
  'epoch',
  'shard',
  'seq',
  'type',
  'at_ms',
  'workspace_id',
  'subject',
  'key',
  'owner',
  'keyspace',
  'data',
];

function readFeedRow(reader: FactReader, json: unknown, where: string): FeedRow {
  const fields = reader.object(json, where, rowMembers, ['signing_key']);
  reader.check(fields.v === feedRowFormat, `${where}.v is not a format that is known here`);
  const type = reader.oneOf<EventType>(fields.type, `${where}.type`, eventTypes);
  reader.check(isEventData(fields.data), `${where}.data is not small, shallow JSON`);
  const row: FeedRow = {
    epoch: reader.integer(fields.epoch, `${where}.epoch`, 0, Number.MAX_SAFE_INTEGER),
    shard: reader.integer(fields.shard, `${where}.shard`, 0, shardsMax - 1),
    seq: reader.integer(fields.seq, `${where}.seq`, 1, Number.MAX_SAFE_INTEGER),
    type,
    atMs: reader.timeMs(fields.at_ms, `${where}.at_ms`),
    workspaceId: reader.id('ws', fields.workspace_id, `${where}.workspace_id`),
    subject: readSubject(reader, type, fields.subject, `${where}.subject`),
    key: fields.key === null ? null : readKeyFact(reader, fields.key, `${where}.key`),
    owner: fields.owner === null ? null : readOwnerFact(reader, fields.owner, `${where}.owner`),
    keyspace:
      fields.keyspace === null ? null : readKeyspaceFact(reader, fields.keyspace, `${where}.keyspace`),
    ...(fields.signing_key === undefined
      ? {}
      : { signingKey: readSigningKeyFact(reader, fields.signing_key, `${where}.signing_key`) }),
    data: isEventData(fields.data) ? fields.data : {},
  };
  checkAgreement(reader, row, where);
  return row;
}

/** By the first word of the event's name: the kind of id that its subject has, and the fact that it carries. */
const subjects = {
  key: { id: 'key', fact: 'key' },
  owner: { id: 'own', fact: 'owner' },
  keyspace: { id: 'ks', fact: 'keyspace' },
  campaign: { id: 'camp', fact: null },
  approval: { id: 'appr', fact: null },
  webhook: { id: 'wh', fact: null },
  signing_key: { id: 'sk', fact: 'signingKey' },
} as const;

type FactName = 'key' | 'owner' | 'keyspace' | 'signingKey';
type Family = keyof typeof subjects;

function familyOf(type: EventType): Family {
  return type.slice(0, type.indexOf('.')) as Family;
}

function readSubject(reader: FactReader, type: EventType, value: unknown, where: string): SubjectId {
  return reader.id(subjects[familyOf(type)].id, value, where);
}

function checkAgreement(reader: FactReader, row: FeedRow, where: string): void {
  const { fact } = subjects[familyOf(row.type)];
  const facts: { readonly [Fact in FactName]?: { readonly id: SubjectId } | null } = row;
  if (fact !== null) reader.check(facts[fact]?.id === row.subject, `${where}.${fact} is not the subject`);
  if (fact === 'key') {
    reader.check(row.owner?.id === row.key?.ownerId, `${where}.owner is not that of the key`);
    reader.check(row.keyspace?.id === row.key?.keyspaceId, `${where}.keyspace is not that of the key`);
  } else {
    reader.check(row.key === null, `${where}.key does not belong to this event`);
    reader.check(fact === 'owner' || row.owner === null, `${where}.owner does not belong to this event`);
    reader.check(
      fact === 'signingKey' || row.signingKey === undefined,
      `${where}.signing_key does not belong here`,
    );
    reader.check(fact === 'keyspace' || row.keyspace === null, `${where}.keyspace does not belong here`);
  }
  reader.check(
    row.keyspace === null || row.keyspace.workspaceId === row.workspaceId,
    `${where}.keyspace is of another workspace`,
  );
  reader.check(
    row.signingKey === undefined || row.signingKey.workspaceId === row.workspaceId,
    `${where}.signing_key is of another workspace`,
  );
}
