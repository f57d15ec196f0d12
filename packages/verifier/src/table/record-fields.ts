import type { StoredKeyState, VersionState } from '@keyswarm/core';
import { type RecordPages, word } from './record-pages.ts';

/*
 * How the fields of a version are packed into the words that `record-pages.ts` lays out. Readers here are small
 * enough to be inlined into a verification; writers take a whole version at once.
 *
 * A version number has 20 bits and a revision 32. That is a million rotations of one key and four billion changes
 * of it, which a stubborn tenant could reach, and a fact that can't be applied would make its whole shard stale
 * for everybody. So the highest value of each field means `wide`, and the true number stands in a map aside.
 */

const none48High = 0xffff;
const highUnit = 2 ** 32;
const versionWide = 0xf_ffff;
const revisionWide = 0xffff_ffff;

const keyStates: readonly StoredKeyState[] = ['active', 'suspended', 'revoked'];
const versionStates: readonly VersionState[] = ['active', 'grace', 'retired'];

/** Standing bits: key state × 3 + version state in the low four, then whether there is a not-before. */
const stateMask = 15;
export const notBeforeBit = 16;
export const graceOfActiveKey = 1;

const keyStateOf = Array.from({ length: 9 }, (_, code) => keyStates[Math.floor(code / 3)] ?? 'revoked');
const versionStateOf = Array.from({ length: 9 }, (_, code) => versionStates[code % 3] ?? 'retired');

/** From the five standing bits. Codes that were never written read as refused. */
export function keyStateIn(standing: number): StoredKeyState {
  return keyStateOf[standing & stateMask] ?? 'revoked';
}

export function versionStateIn(standing: number): VersionState {
  return versionStateOf[standing & stateMask] ?? 'retired';
}

export function standingOf(key: StoredKeyState, version: VersionState, hasNotBefore: boolean): number {
  const code = keyStates.indexOf(key) * 3 + versionStates.indexOf(version);
  return code | (hasNotBefore ? notBeforeBit : 0);
}

/** When the version ends; +Infinity: never. */
export function endMsAt(page: Int32Array, from: number): number {
  const high = (page[from + word.highs] ?? 0) >>> 16;
  if (high === none48High) return Number.POSITIVE_INFINITY;
  return high * highUnit + ((page[from + word.endLow] ?? 0) >>> 0);
}

export function mintedAtMsAt(page: Int32Array, from: number): number {
  const high = (page[from + word.highs] ?? 0) & 0xffff;
  return high * highUnit + ((page[from + word.mintLow] ?? 0) >>> 0);
}

export interface RecordFields {
  /** Four words each. */
  readonly fingerprint: Int32Array;
  readonly keyId: Int32Array;
  /** +Infinity: never. */
  readonly endMs: number;
  readonly mintedAtMs: number;
  readonly revision: number;
  readonly ownerIndex: number;
  readonly scopesIndex: number;
  readonly keyspaceIndex: number;
  readonly standing: number;
  readonly versionNumber: number;
}

/** Numbers that did not fit their bits, by record. Nearly always empty. */
export class WideNumbers {
  readonly revisions = new Map<number, number>();
  readonly versions = new Map<number, number>();

  forget(record: number): void {
    if (this.revisions.size > 0) this.revisions.delete(record);
    if (this.versions.size > 0) this.versions.delete(record);
  }
}

/** Writes every word but the link, whose place in the circle is the caller's business. */
export function writeRecord(
  records: RecordPages,
  wide: WideNumbers,
  record: number,
  fields: RecordFields,
): void {
  const page = records.pageOf(record);
  const from = records.offsetOf(record);
  for (let at = 0; at < 4; at += 1) {
    page[from + word.fingerprint + at] = fields.fingerprint[at] ?? 0;
    page[from + word.keyId + at] = fields.keyId[at] ?? 0;
  }
  const endless = fields.endMs === Number.POSITIVE_INFINITY;
  const endHigh = endless ? none48High : Math.floor(fields.endMs / highUnit);
  page[from + word.endLow] = endless ? 0 : fields.endMs % highUnit;
  page[from + word.mintLow] = fields.mintedAtMs % highUnit;
  page[from + word.highs] = (endHigh << 16) | Math.floor(fields.mintedAtMs / highUnit);
  page[from + word.owner] = (fields.ownerIndex << 5) | fields.standing;

  wide.forget(record);
  let version = fields.versionNumber;
  if (version >= versionWide) {
    wide.versions.set(record, version);
    version = versionWide;
  }
  let revision = fields.revision;
  if (revision >= revisionWide) {
    wide.revisions.set(record, revision);
    revision = revisionWide;
  }
  page[from + word.revision] = revision;
  page[from + word.scopes] = (fields.scopesIndex << 5) | (version >>> 15);
  page[from + word.link] = ((page[from + word.link] ?? 0) & ~31) | ((version >>> 10) & 31);
  page[from + word.keyspace] = (fields.keyspaceIndex << 10) | (version & 0x3ff);
}

export function versionNumberOf(records: RecordPages, wide: WideNumbers, record: number): number {
  const page = records.pageOf(record);
  const from = records.offsetOf(record);
  const version =
    (((page[from + word.scopes] ?? 0) & 31) << 15) |
    (((page[from + word.link] ?? 0) & 31) << 10) |
    ((page[from + word.keyspace] ?? 0) & 0x3ff);
  return version === versionWide ? (wide.versions.get(record) ?? versionWide) : version;
}

/** 0 for a record that is not in use. */
export function revisionOf(records: RecordPages, wide: WideNumbers, record: number): number {
  const revision = records.get(record, word.revision) >>> 0;
  return revision === revisionWide ? (wide.revisions.get(record) ?? revisionWide) : revision;
}

export function nextOf(records: RecordPages, record: number): number {
  return records.get(record, word.link) >>> 5;
}

export function linkTo(records: RecordPages, record: number, next: number): void {
  records.set(record, word.link, (next << 5) | (records.get(record, word.link) & 31));
}
