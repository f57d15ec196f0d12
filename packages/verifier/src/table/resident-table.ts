import {
  assert,
  fingerprintFactBytes,
  formatSigningKeyId,
  type KeyFact,
  type KeyId,
  type KeyTraitsFact,
  timeMsMax,
  uuidBytesOf,
  type WorkspaceId,
} from '@keyswarm/core';
import type { IndexSeed } from '../clock/index-seed.ts';
import { firstUseToldMs } from '../limits.ts';
import type { KeyUse } from '../uses/key-use.ts';
import { keyIdOfWords } from '../verdict/key-id-text.ts';
import { FingerprintIndex } from './fingerprint-index.ts';
import { FirstUses } from './first-uses.ts';
import { GraceUses } from './grace-uses.ts';
import { type KeyspaceEntry, Keyspaces } from './keyspaces.ts';
import { Owners } from './owners.ts';
import {
  endMsAt,
  linkTo,
  nextOf,
  notBeforeBit,
  type RecordFields,
  revisionOf,
  standingOf,
  versionNumberOf,
  versionStateIn,
  WideNumbers,
  writeRecord,
} from './record-fields.ts';
import { RecordPages, word } from './record-pages.ts';
import { RequestKeys } from './request-keys.ts';
import { ScopeSets } from './scope-sets.ts';
import { SideColumn } from './side-column.ts';
import { SigningKeys } from './signing-keys.ts';
import { wordsOfBytes } from './words.ts';

/*
 * All the versions that may be presented here, 64 bytes each, and what they point at. It holds everything: a key
 * that isn't in it doesn't exist, so an unknown key is refused without asking anybody.
 *
 * Facts come twice, late and out of order. The rule is one: the higher revision of a key wins, whole. There is no
 * second index by key id to look the stored revision up in (it would cost as much as the first one); instead the
 * versions of a key are linked in a circle, and a fact, which names all versions of its key that anybody may still
 * know, finds the circle by any of their fingerprints:
 *
 *   - no fingerprint known: the fact is applied;
 *   - known at a lower revision: it is applied, and versions of the circle that it doesn't name are forgotten;
 *   - known at the same or a higher revision: it is ignored. Where it touches two circles of the same key (a fact
 *     from the future came first, sharing no version with what was known), the older circle is forgotten: the
 *     newer one was written by a fact that no longer names its versions.
 *
 * The worse error is a version that was forgotten and comes back with a late fact, for it would be accepted again.
 * Facts alone can't rule that out, positions can: whoever feeds this table (`resident-verifier.ts`) never hands it
 * a fact from at or before the position it has applied, and rows that follow one another always share a version,
 * so that a circle left behind is met, and ended, before the table counts as caught up.
 *
 * Two keys may hold the same secret: a key string of one workspace can be imported by its hash into another. Both
 * stand in the table, told apart by key id, and neither can push the other out.
 *
 * A version in grace ends at the end of its grace or of its key, whichever is sooner; one field holds that end,
 * because nothing a verifier says needs both.
 */
export class ResidentTable {
  readonly records = new RecordPages();
  readonly wide = new WideNumbers();
  readonly owners = new Owners();
  readonly keyspaces = new Keyspaces();
  readonly scopeSets = new ScopeSets();
  readonly signingKeys = new SigningKeys();
  readonly notBefores = new SideColumn();
  readonly graceUses = new GraceUses(this.records);
  /** New versions of rotating keys that have not been accepted here yet. */
  readonly firstUses = new FirstUses();
  readonly index: FingerprintIndex;
  /** By record. Few keys have any, and the others cost nothing here. */
  readonly traits = new Map<number, KeyTraitsFact>();
  /** One record of each key that others may hang on. */
  readonly parents = new Map<KeyId, number>();
  /** What signed requests are verified with. */
  readonly requestKeys = new RequestKeys();
  #twins = 0;

  constructor(seed: IndexSeed) {
    this.index = new FingerprintIndex(this.records, seed);
  }

  /** Does any fingerprint stand here more than once? */
  get hasTwins(): boolean {
    return this.#twins > 0;
  }

  /** Every record with the fingerprint of this one, itself included. */
  twinsOf(record: number): readonly number[] {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = this.#words(record, word.fingerprint);
    return this.index.findAll(w0, w1, w2, w3);
  }

  get bytes(): number {
    return this.records.bytes + this.index.bytes + this.notBefores.bytes + this.graceUses.bytes;
  }

  applyKey(fact: KeyFact): void {
    checkFact(fact);
    const keyId = wordsOfBytes(uuidBytesOf(fact.id));
    const known: number[] = [];
    let newest = 0;
    for (const version of fact.versions) {
      const record = this.#find(wordsOfBytes(version.fingerprint), keyId);
      if (record === 0 || known.includes(record)) continue;
      known.push(record);
      newest = Math.max(newest, revisionOf(this.records, this.wide, record));
    }
    if (fact.revision > newest) this.#replace(fact, keyId, known);
    else this.#forgetOlderThan(newest, known);
  }

  /** Is there a record with this fingerprint whose keyspace belongs to that workspace? */
  knowsFingerprint(fingerprint: Int32Array, workspaceId: WorkspaceId): boolean {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = fingerprint;
    const first = this.index.find(w0, w1, w2, w3);
    if (first === 0) return false;
    const records = this.hasTwins ? this.index.findAll(w0, w1, w2, w3) : [first];
    return records.some((record) => {
      const keyspace = this.keyspaces.entry(this.records.get(record, word.keyspace) >>> 10);
      return keyspace.workspaceId === workspaceId;
    });
  }

  keyspaceOf(record: number): KeyspaceEntry {
    return this.keyspaces.entry(this.records.get(record, word.keyspace) >>> 10);
  }

  /** When a version in grace of this key was last accepted here; null: not since it entered grace. */
  lastGraceUseMs(id: KeyId): number | null {
    return this.graceUses.latestOf(wordsOfBytes(uuidBytesOf(id)));
  }

  /** Takes over what only this process knows, when a table loaded from a snapshot follows another. */
  adoptGraceUses(from: ResidentTable): void {
    for (const [record, atMs] of from.graceUses) {
      const fingerprint = from.#words(record, word.fingerprint);
      const found = this.#find(fingerprint, from.#words(record, word.keyId));
      if (found !== 0 && versionStateIn(this.records.get(found, word.owner)) === 'grace') {
        this.graceUses.note(found, atMs);
      }
    }
    this.firstUses.adopt(from.firstUses);
  }

  /** Uses of rotating keys that are to be told, as `GraceUses` has it. */
  takeUses(countMax: number, nowMs: number, restMs: number): readonly KeyUse[] {
    const first = this.firstUses.take(countMax);
    const grace = this.graceUses.takeDue(countMax - first.length, nowMs, restMs);
    return [...first, ...grace.map(([record, atMs]) => this.#useOf(record, atMs))];
  }

  /** A version was accepted that is expected to be told of. Of a rotation that is long over, nothing is told. */
  noteFirstUse(record: number, atMs: number): void {
    for (let at = nextOf(this.records, record); at !== record; at = nextOf(this.records, at)) {
      const inGrace = versionStateIn(this.records.get(at, word.owner)) === 'grace';
      const endMs = endMsAt(this.records.pageOf(at), this.records.offsetOf(at));
      if (inGrace && endMs > atMs - firstUseToldMs) {
        this.firstUses.note(record, this.#useOf(record, atMs));
        return;
      }
    }
    this.firstUses.expect(record, false);
  }

  #useOf(record: number, atMs: number): KeyUse {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = this.#words(record, word.keyId);
    return {
      keyId: keyIdOfWords(w0, w1, w2, w3),
      keyspaceId: this.keyspaces.entry(this.records.get(record, word.keyspace) >>> 10).id,
      version: versionNumberOf(this.records, this.wide, record),
      atMs,
    };
  }

  #replace(fact: KeyFact, keyId: Int32Array, known: readonly number[]): void {
    const before = this.#circlesOf(known);
    const after: number[] = [];
    const isRotating = fact.versions.some(({ state }) => state === 'grace');
    for (const version of fact.versions) {
      const fingerprint = wordsOfBytes(version.fingerprint);
      const hasNotBefore = fact.notBeforeMs !== null;
      const keyEndMs = fact.expiresAtMs ?? Number.POSITIVE_INFINITY;
      const graceEndMs = version.retiresAtMs ?? Number.POSITIVE_INFINITY;
      const record = this.#write({
        fingerprint,
        keyId,
        endMs: Math.min(keyEndMs, graceEndMs),
        mintedAtMs: version.mintedAtMs,
        revision: fact.revision,
        ownerIndex: this.owners.acquire(fact.ownerId),
        scopesIndex: this.scopeSets.acquire(fact.scopes),
        keyspaceIndex: this.keyspaces.acquire(fact.keyspaceId),
        standing: standingOf(fact.state, version.state, hasNotBefore),
        versionNumber: version.number,
      });
      if (fact.notBeforeMs !== null) this.notBefores.set(record, fact.notBeforeMs);
      this.firstUses.expect(record, version.state === 'active' && isRotating);
      this.#setTraits(record, fact, version.number);
      if (!after.includes(record)) after.push(record);
    }
    for (const record of before) if (!after.includes(record)) this.#forget(record);
    for (let at = 0; at < after.length; at += 1) {
      linkTo(this.records, after[at] ?? 0, after[(at + 1) % after.length] ?? 0);
    }
  }

  #setTraits(record: number, { id, traits }: KeyFact, version: number): void {
    const proof = traits?.proofs?.find((one) => one.version === version);
    if (proof === undefined) this.requestKeys.forget(record);
    else this.requestKeys.set(record, formatSigningKeyId(id, version), proof);
    if (traits === undefined) {
      if (this.traits.size > 0) this.traits.delete(record);
      return;
    }
    this.traits.set(record, traits);
    if (traits.enrollment === true) this.parents.set(id, record);
  }

  #forgetTraits(record: number): void {
    this.requestKeys.forget(record);
    if (this.traits.size === 0 || !this.traits.delete(record)) return;
    for (const [id, at] of this.parents) if (at === record) this.parents.delete(id);
  }

  /** Writes over the record of this fingerprint and key if there is one, else a new one. */
  #write(fields: RecordFields): number {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = fields.fingerprint;
    const known = this.#find(fields.fingerprint, fields.keyId);
    if (known !== 0) {
      this.#releaseInterned(known);
      if (versionStateIn(fields.standing) !== 'grace') this.graceUses.forget(known);
      writeRecord(this.records, this.wide, known, fields);
      return known;
    }
    if (this.index.find(w0, w1, w2, w3) !== 0) this.#twins += 1;
    const record = this.records.allocate();
    writeRecord(this.records, this.wide, record, fields);
    this.index.insert(record);
    return record;
  }

  /** Ends the circles that are older than `newest`, the highest revision among `known`. */
  #forgetOlderThan(newest: number, known: readonly number[]): void {
    for (const record of known) {
      const revision = revisionOf(this.records, this.wide, record);
      // 0: it went with a circle that was met a moment ago.
      if (revision === 0 || revision === newest) continue;
      for (const member of this.#circlesOf([record])) this.#forget(member);
    }
  }

  #forget(record: number): void {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = this.#words(record, word.fingerprint);
    this.#releaseInterned(record);
    this.graceUses.forget(record);
    this.firstUses.expect(record, false);
    this.wide.forget(record);
    this.#forgetTraits(record);
    this.index.remove(record);
    this.records.release(record);
    if (this.#twins > 0 && this.index.find(w0, w1, w2, w3) !== 0) this.#twins -= 1;
  }

  #releaseInterned(record: number): void {
    this.owners.release(this.records.get(record, word.owner) >>> 5);
    this.scopeSets.release(this.records.get(record, word.scopes) >>> 5);
    this.keyspaces.release(this.records.get(record, word.keyspace) >>> 10);
  }

  /** The record of this fingerprint and this key, or 0. */
  #find(fingerprint: Int32Array, keyId: Int32Array): number {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = fingerprint;
    const first = this.index.find(w0, w1, w2, w3);
    if (first === 0 || this.#isOf(first, keyId)) return first;
    if (this.#twins === 0) return 0;
    return this.index.findAll(w0, w1, w2, w3).find((record) => this.#isOf(record, keyId)) ?? 0;
  }

  #isOf(record: number, keyId: Int32Array): boolean {
    const page = this.records.pageOf(record);
    const from = this.records.offsetOf(record) + word.keyId;
    return (
      page[from] === keyId[0] &&
      page[from + 1] === keyId[1] &&
      page[from + 2] === keyId[2] &&
      page[from + 3] === keyId[3]
    );
  }

  #circlesOf(records: readonly number[]): readonly number[] {
    const members: number[] = [];
    for (const record of records) {
      for (let at = record; !members.includes(at); at = nextOf(this.records, at)) members.push(at);
    }
    return members;
  }

  #words(record: number, at: number): Int32Array {
    const from = this.records.offsetOf(record) + at;
    return this.records.pageOf(record).slice(from, from + 4);
  }
}

/** True where a record's own bit says that the column has a value for it. */
export function notBeforeMsOf(table: ResidentTable, record: number, standing: number): number {
  if ((standing & notBeforeBit) === 0) return Number.NEGATIVE_INFINITY;
  return table.notBefores.get(record);
}

/** What decoding has already checked, asserted again before anything is written: half a fact is the worse error. */
function checkFact(fact: KeyFact): void {
  assert(Number.isSafeInteger(fact.revision) && fact.revision >= 1, 'a revision is a whole number from 1');
  assertTimeMs(fact.expiresAtMs ?? 0);
  assertTimeMs(fact.notBeforeMs ?? 0);
  for (const version of fact.versions) {
    assert(version.fingerprint.length === fingerprintFactBytes, 'a fingerprint fact has 16 bytes');
    assert(Number.isSafeInteger(version.number) && version.number >= 1, 'a version number starts at 1');
    assert(version.state !== 'grace' || version.retiresAtMs !== null, 'a version in grace has an end');
    assertTimeMs(version.mintedAtMs);
    assertTimeMs(version.retiresAtMs ?? 0);
  }
}

function assertTimeMs(timeMs: number): void {
  assert(Number.isSafeInteger(timeMs) && timeMs >= 0 && timeMs <= timeMsMax, 'a time is Unix milliseconds');
}
