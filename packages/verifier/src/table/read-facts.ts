import type { KeyFact, KeyspaceFact, VersionFact } from '@keyswarm/core';
import type { Fact, FactFilter } from '../feed/fact.ts';
import { keyIdOfWords } from '../verdict/key-id-text.ts';
import type { KeyspaceEntry } from './keyspaces.ts';
import { NumberSet } from './number-set.ts';
import {
  endMsAt,
  keyStateIn,
  mintedAtMsAt,
  nextOf,
  revisionOf,
  versionNumberOf,
  versionStateIn,
} from './record-fields.ts';
import { word } from './record-pages.ts';
import { notBeforeMsOf, type ResidentTable } from './resident-table.ts';
import { bytesOfWords } from './words.ts';

/*
 * The facts that a table was made of, out of its records: what a relay sends to those who follow it, and what is
 * kept on disk. The reader takes them one at a time, and the table may change between two of them.
 *
 * A table made of these facts says of every key string, at every time and under every requirement, what this one
 * says, and takes every later fact alike, because its records come out the same, bit by bit but for the numbers that
 * the table itself gives:
 *
 *   - A record holds one end, the sooner of the key's and the version's own. An active version has none of its own,
 *     so where there is one the key's expiry is known. Every other version is given its end as its own: as that isn't
 *     later than the key's, the sooner of the two is again what the record held.
 *   - Where no version is active the key's expiry isn't known; it is given as null, and each end stands as above. The
 *     expiry is lost only to whom it can no longer matter: a version that is minted later comes with a fact of the
 *     whole key, expiry and all.
 *   - Revisions, states, scopes, owner, keyspace, mint times, not-before and numbers stand in the records as given.
 *   - Two circles of one key (a fact from the future came first) are two facts of the same key, and make two circles
 *     again: they share no version. The rows that end the older one here end it there.
 *
 * It goes through the records by number. A key is given at the first of its records that is met, all of it at that
 * moment, and its other records are marked, so that they are passed over. A key that doesn't change stands where
 * it stands, and so is given once. One that changes meanwhile may be given as it was, as it is, twice, or not at all
 * (its records may move behind the reader); the row that changed it comes after the facts.
 *
 * What only this process knows is not in them: when a version in grace was last used, and what lease was in force
 * before a keyspace's was raised. Who reads a keyspace that was ever changed takes its lease for raised just now.
 */
export function* readFacts(table: ResidentTable, filter: FactFilter): Generator<Fact, void, undefined> {
  for (const entry of table.keyspaces) {
    const fact = keyspaceFactOf(entry);
    if (fact !== undefined && isWanted(entry, filter)) yield { kind: 'keyspace', fact };
  }
  for (const fact of table.signingKeys.facts()) {
    if (filter.workspaceId === undefined || fact.workspaceId === filter.workspaceId)
      yield { kind: 'signingKey', fact };
  }
  const given = new NumberSet();
  const ownersGiven = new NumberSet();
  for (let record = 1; record < table.records.end; record += 1) {
    if (!table.records.isLive(record) || given.has(record)) continue;
    const keyspace = table.keyspaces.entry(table.records.get(record, word.keyspace) >>> 10);
    if (!isWanted(keyspace, filter)) continue;
    const ownerIndex = table.records.get(record, word.owner) >>> 5;
    const owner = ownersGiven.has(ownerIndex) ? undefined : table.owners.factOf(ownerIndex);
    // Before anything is handed over: the table may be another one when the reader comes back.
    const fact = keyFactAt(table, record, given);
    if (owner !== undefined) {
      ownersGiven.add(ownerIndex);
      yield { kind: 'owner', fact: owner };
    }
    yield { kind: 'key', fact };
  }
}

/** A keyspace that hasn't been heard of belongs to nobody yet. */
function isWanted(entry: KeyspaceEntry, { workspaceId, keyspaces }: FactFilter): boolean {
  if (workspaceId !== undefined && entry.workspaceId !== workspaceId) return false;
  return keyspaces === undefined || keyspaces.has(entry.id);
}

function keyspaceFactOf(entry: KeyspaceEntry): KeyspaceFact | undefined {
  const { id, workspaceId, revision, name, leaseMs } = entry;
  if (workspaceId === undefined) return undefined;
  const state = entry.suspended ? 'suspended' : 'active';
  return {
    id,
    workspaceId,
    revision,
    name,
    state,
    leaseMs,
    ...(entry.wantsSignature ? { proof: 'signature' } : {}),
    keysNotBeforeMs: limitOf(entry.keysNotBeforeMs),
  };
}

/** The key that this record belongs to; marks its other records in `given`. */
function keyFactAt(table: ResidentTable, record: number, given: NumberSet): KeyFact {
  const { records, wide } = table;
  const versions = [versionFactAt(table, record)];
  for (let at = nextOf(records, record); at !== record; at = nextOf(records, at)) {
    versions.push(versionFactAt(table, at));
    given.add(at);
  }
  if (versions.length > 1) versions.sort((a, b) => a.number - b.number);
  const page = records.pageOf(record);
  const from = records.offsetOf(record);
  const ownerWord = page[from + word.owner] ?? 0;
  return {
    id: keyIdOfWords(
      page[from + word.keyId] ?? 0,
      page[from + word.keyId + 1] ?? 0,
      page[from + word.keyId + 2] ?? 0,
      page[from + word.keyId + 3] ?? 0,
    ),
    revision: revisionOf(records, wide, record),
    keyspaceId: table.keyspaces.entry((page[from + word.keyspace] ?? 0) >>> 10).id,
    ownerId: table.owners.idOf(ownerWord >>> 5),
    scopes: table.scopeSets.scopes((page[from + word.scopes] ?? 0) >>> 5),
    state: keyStateIn(ownerWord),
    notBeforeMs: limitOf(notBeforeMsOf(table, record, ownerWord)),
    expiresAtMs: expiryOf(table, record),
    ...traitsAt(table, record),
    versions,
  };
}

function traitsAt({ traits }: ResidentTable, record: number): Pick<KeyFact, 'traits'> {
  const known = traits.size === 0 ? undefined : traits.get(record);
  return known === undefined ? {} : { traits: known };
}

function versionFactAt({ records, wide }: ResidentTable, record: number): VersionFact {
  const page = records.pageOf(record);
  const from = records.offsetOf(record);
  const state = versionStateIn(page[from + word.owner] ?? 0);
  return {
    number: versionNumberOf(records, wide, record),
    fingerprint: bytesOfWords(page, from + word.fingerprint),
    state,
    mintedAtMs: mintedAtMsAt(page, from),
    retiresAtMs: state === 'active' ? null : limitOf(endMsAt(page, from)),
  };
}

/** The end of any active version of the circle. */
function expiryOf({ records }: ResidentTable, record: number): number | null {
  let at = record;
  do {
    const page = records.pageOf(at);
    const from = records.offsetOf(at);
    if (versionStateIn(page[from + word.owner] ?? 0) === 'active') return limitOf(endMsAt(page, from));
    at = nextOf(records, at);
  } while (at !== record);
  return null;
}

function limitOf(timeMs: number): number | null {
  return Number.isFinite(timeMs) ? timeMs : null;
}
