import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadFeedRow } from '../follow/bad-feed-row.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { keyFact, keyRow } from '../testing/sample-facts.arbitrary.ts';
import {
  BadFrame,
  encodeFrame,
  type Frame,
  FrameReader,
  firstStretchFrame,
  frameBytesMax,
  frameHeadBytes,
  frameTypes,
  stretchFrame,
  stretchOfFrame,
} from './frames.ts';
import { jsonPayload } from './json-payload.ts';
import { stretchOf } from './testing/wire-bench.ts';

const types = Object.values(frameTypes);

function read(bytes: Uint8Array, cuts: readonly number[] = []): Frame[] {
  const reader = new FrameReader();
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const frames = ends.flatMap((end, at) => reader.push(bytes.subarray(ends[at - 1] ?? 0, end)));
  reader.end();
  return frames;
}

function onlyStretch(bytes: Uint8Array) {
  const [frame, ...rest] = read(bytes);
  expect(rest).toEqual([]);
  return stretchOfFrame(frame?.payload ?? new Uint8Array());
}

describe('a frame', () => {
  it('comes out as it went in, however the bytes are cut', () => {
    const frames = fc.array(
      fc.record({ type: fc.constantFrom(...types), payload: fc.uint8Array({ maxLength: 40 }) }),
      { maxLength: 6 },
    );
    checkProperty(
      fc.property(frames, fc.array(fc.nat(400), { maxLength: 12 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(({ type, payload }) => encodeFrame(type, payload)));
        const seen = read(bytes, cuts).map(({ type, payload }) => ({ type, payload: [...payload] }));
        expect(seen).toEqual(sent.map(({ type, payload }) => ({ type, payload: [...payload] })));
      }),
      process.env,
    );
  });

  it('is refused with any one bit of it changed, and with any part of it missing', () => {
    const frame = encodeFrame(frameTypes.end, jsonPayload({ epoch: 1 }));
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const changed = Uint8Array.from(frame);
      changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => read(changed), `bit ${bit}`).toThrow(BadFrame);
    }
    for (let length = 1; length < frame.length; length += 1) {
      expect(() => read(frame.subarray(0, length)), `${length} bytes`).toThrow(BadFrame);
    }
  });

  it('is refused by its head alone when it is too large or of an unknown type', () => {
    const head = (length: number, type: number) => {
      const bytes = new DataView(new ArrayBuffer(frameHeadBytes));
      bytes.setUint32(0, length);
      bytes.setUint8(4, type);
      return new Uint8Array(bytes.buffer);
    };
    expect(() => new FrameReader().push(head(frameBytesMax + 1, 1))).toThrow(BadFrame);
    expect(() => new FrameReader().push(head(1, 0))).toThrow(BadFrame);
    expect(() => new FrameReader().push(head(1, 8))).toThrow(BadFrame);
    expect(new FrameReader().push(head(frameBytesMax, 1))).toEqual([]);
    expect(() => encodeFrame(frameTypes.facts, new Uint8Array(frameBytesMax + 1))).toThrow(RangeError);
  });

  it('has its type under the checksum', () => {
    const frame = encodeFrame(frameTypes.heartbeat, jsonPayload({}));
    expect(new DataView(frame.buffer, frame.byteOffset).getUint32(5)).toBe(
      crc32(Buffer.concat([Uint8Array.of(frameTypes.heartbeat), jsonPayload({})])),
    );
  });

  it('is not followed by anything once one was bad', () => {
    const reader = new FrameReader();
    const frame = encodeFrame(frameTypes.heartbeat, jsonPayload({}));
    expect(() => reader.push(Uint8Array.from(frame, (byte, at) => (at === 10 ? byte ^ 1 : byte)))).toThrow();
    expect(() => reader.push(frame)).toThrow(BadFrame);
  });

  it('is put together from single bytes with each byte copied once', () => {
    const payload = new Uint8Array(200_000).fill(7);
    const frame = encodeFrame(frameTypes.facts, payload);
    const reader = new FrameReader();
    let frames: Frame[] = [];
    for (let at = 0; at < frame.length; at += 1) frames = reader.push(frame.subarray(at, at + 1));
    expect(frames).toHaveLength(1);
    expect(Buffer.compare(frames[0]?.payload ?? new Uint8Array(), payload)).toBe(0);
  });
});

describe('a stretch', () => {
  const rows = [2, 3, 5].map((seq) => keyRow(seq, keyFact(seq)));

  it('comes out as it went in, with rows left out and with none', () => {
    const stretch = stretchOf(1, rows, { upTo: 9 });
    expect(onlyStretch(stretchFrame(stretch))).toEqual(stretch);
    expect(onlyStretch(stretchFrame(stretchOf(4, [])))).toEqual(stretchOf(4, []));
  });

  it('ends before the first row that can not be read, whatever that says of itself', () => {
    const bad = (at: number, change: object) => {
      const json = JSON.parse(
        new TextDecoder().decode(stretchFrame(stretchOf(1, rows)).subarray(frameHeadBytes)),
      );
      Object.assign(json.rows[at], change);
      return encodeFrame(frameTypes.stretch, jsonPayload(json));
    };
    for (const change of [
      { seq: 9 },
      { seq: 2 },
      { shard: 1 },
      { epoch: 2 },
      { extra: 1 },
      { at_ms: 'soon' },
    ]) {
      expect(onlyStretch(bad(2, change)), JSON.stringify(change)).toEqual(stretchOf(1, rows.slice(0, 2)));
    }
    const first = bad(0, { shard: 1 });
    expect(() => onlyStretch(first)).toThrow(BadFeedRow);
    expect(() => onlyStretch(first)).toThrow(expect.objectContaining({ shard: 0, seq: 2 }));
  });

  it('is refused when it is none at all', () => {
    const stretch = { epoch: 1, shard: 0, after: 4, up_to: 4, rows: [] };
    const changes = [{ up_to: 3 }, { after: -1 }, { shard: 256 }, { epoch: 1.5 }, { rows: {} }, { more: 1 }];
    for (const change of changes) {
      expect(() => stretchOfFrame(jsonPayload({ ...stretch, ...change })), JSON.stringify(change)).toThrow(
        BadFrame,
      );
    }
    expect(() => stretchOfFrame(Buffer.from('[]'))).toThrow(BadFrame);
    expect(() => stretchOfFrame(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(BadFrame);
    expect(() => stretchOfFrame(Buffer.from('['.repeat(100_000)))).toThrow(BadFrame);
  });

  it('takes several frames when it is too large for one, or one that says how far it got', () => {
    const reason = 'x'.repeat(1000);
    const large = Array.from({ length: 1500 }, (_, at) => keyRow(at + 1, keyFact(at), { data: { reason } }));
    const stretch = stretchOf(0, large, { upTo: 2000 });
    const parts = read(stretchFrame(stretch)).map(({ payload }) => stretchOfFrame(payload));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map(({ after }) => after)).toEqual([0, ...parts.slice(0, -1).map(({ upTo }) => upTo)]);
    expect(parts.at(-1)?.upTo).toBe(2000);
    expect(parts.flatMap((part) => part.rows.map(({ seq }) => seq))).toEqual(large.map(({ seq }) => seq));
    const first = onlyStretch(firstStretchFrame(stretch));
    expect(first).toEqual(stretchOf(0, large.slice(0, first.upTo)));
  });
});
