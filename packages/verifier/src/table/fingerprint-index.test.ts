import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyFact, sampleSeed } from '../testing/sample-facts.arbitrary.ts';
import { FingerprintIndex } from './fingerprint-index.ts';
import { RecordPages, word } from './record-pages.ts';
import { ResidentTable } from './resident-table.ts';

/** The first 16 bytes of a hash of this number, as words: four numbers cost one hash of 64 bytes. */
function wordsOf(mark: number): Int32Array {
  const bytes = hash('sha512', `fingerprint ${mark >>> 2}`, 'buffer');
  const from = (mark & 3) * 16;
  return Int32Array.from({ length: 4 }, (_, at) => bytes.readInt32BE(from + at * 4));
}

/** An index over records that hold a fingerprint and nothing else. */
class Bare {
  readonly records = new RecordPages();
  readonly index = new FingerprintIndex(this.records, sampleSeed);

  insert(words: Int32Array): number {
    const record = this.records.allocate();
    for (let at = 0; at < 4; at += 1) this.records.set(record, word.fingerprint + at, words[at] ?? 0);
    this.records.set(record, word.revision, 1);
    this.index.insert(record);
    return record;
  }

  remove(record: number): void {
    this.index.remove(record);
    this.records.release(record);
  }

  find([w0 = 0, w1 = 0, w2 = 0, w3 = 0]: Int32Array): number {
    return this.index.find(w0, w1, w2, w3);
  }
}

/** Some number from 0 to this one. */
const anyUpTo = (mark: number): number => (Math.imul(mark + 1, 0x9e3779b1) >>> 0) % (mark + 1);

/** Counted, because a hundred thousand `expect` take seconds. */
function wrong(marks: number, isRight: (mark: number) => boolean): number {
  let count = 0;
  for (let mark = 0; mark < marks; mark += 1) if (!isRight(mark)) count += 1;
  return count;
}

describe('the index of fingerprints', () => {
  const marks = 100_000;
  const words = Array.from({ length: marks * 2 }, (_, mark) => wordsOf(mark));
  const at = (mark: number) => words[mark] ?? new Int32Array(4);

  it('finds each of a hundred thousand and none of a hundred thousand others, while it grows and at rest', () => {
    const bare = new Bare();
    const records: number[] = [];
    let leastBytes = Number.POSITIVE_INFINITY;
    for (let mark = 0; mark < marks; mark += 1) {
      records.push(bare.insert(at(mark)));
      if (mark > 10_000) leastBytes = Math.min(leastBytes, bare.index.bytes / (mark + 1));
      // A look back at every stage of every growth.
      const other = anyUpTo(mark);
      if (bare.find(at(other)) !== records[other]) throw new Error(`${other} was lost at ${mark}`);
      if (bare.find(at(marks + mark)) !== 0) throw new Error(`${marks + mark} was never put in`);
    }
    expect(wrong(marks, (mark) => bare.find(at(mark)) === records[mark])).toBe(0);
    // Insertions alone bring each growth to its end, well before the next.
    expect(leastBytes).toBeLessThan(6.5);
    const growing = bare.index.bytes;
    while (!bare.index.settle(1000));
    expect(bare.index.bytes).toBeLessThanOrEqual(growing);
    expect(bare.index.bytes / marks).toBeLessThan(7.7);
    expect(wrong(marks, (mark) => bare.find(at(mark)) === records[mark])).toBe(0);
    expect(wrong(marks, (mark) => bare.find(at(marks + mark)) === 0)).toBe(0);
  });

  it('forgets what was removed, and only that, in the midst of growth and with records used again', () => {
    const bare = new Bare();
    const held = new Map<number, number>();
    for (let mark = 0; mark < marks; mark += 1) {
      held.set(mark, bare.insert(at(mark)));
      if (mark % 2 === 0) continue;
      const gone = anyUpTo(mark);
      const record = held.get(gone);
      if (record === undefined) continue;
      bare.remove(record);
      held.delete(gone);
      if (bare.find(at(gone)) !== 0) throw new Error(`${gone} was found after it went`);
    }
    expect(held.size).toBeLessThan(marks * 0.8);
    expect(bare.records.live).toBe(held.size);
    expect(wrong(marks, (mark) => bare.find(at(mark)) === (held.get(mark) ?? 0))).toBe(0);
    while (!bare.index.settle(1000));
    expect(wrong(marks, (mark) => bare.find(at(mark)) === (held.get(mark) ?? 0))).toBe(0);
    for (const record of held.values()) bare.remove(record);
    expect(wrong(marks, (mark) => bare.find(at(mark)) === 0)).toBe(0);
    expect(bare.index.longestRun()).toBe(0);
  });

  it('finds all records of one fingerprint, in the old slots and the new', () => {
    const bare = new Bare();
    const twins: number[] = [];
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = at(0);
    for (let mark = 1; mark < 3000; mark += 1) {
      bare.insert(at(mark));
      if (mark % 500 === 0) twins.push(bare.insert(at(0)));
      expect([...bare.index.findAll(w0, w1, w2, w3)].sort((a, b) => a - b)).toEqual(twins);
    }
    const [first = 0, ...others] = twins;
    bare.remove(first);
    expect([...bare.index.findAll(w0, w1, w2, w3)].sort((a, b) => a - b)).toEqual(others);
  });
});

describe('the memory of the table', () => {
  it('is at most 80 bytes a version all the way from ten thousand to a million', () => {
    const table = new ResidentTable(sampleSeed);
    const fact = keyFact(1);
    const fingerprint = new Uint8Array(16);
    const view = new DataView(fingerprint.buffer);
    const version = { ...fact.versions[0], number: 1, fingerprint, state: 'active' as const };
    const versions = [{ ...version, mintedAtMs: 0, retiresAtMs: null }];
    let worst = 0;
    for (let mark = 0; mark < 1_000_000; mark += 1) {
      // Every version differs in all words; one key id serves for all, since no circle is ever met again.
      for (let at = 0; at < 16; at += 4) view.setInt32(at, Math.imul(mark + 1, 0x9e3779b1 + at * 2));
      table.applyKey({ ...fact, versions });
      if (mark >= 9999 && mark % 64 === 0) worst = Math.max(worst, table.bytes / (mark + 1));
    }
    expect(table.records.live).toBe(1_000_000);
    expect(worst).toBeLessThanOrEqual(80);
  }, 60_000);
});
