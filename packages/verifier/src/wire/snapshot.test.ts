import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fact } from '../feed/fact.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import {
  keyFact,
  keyRow,
  keyString,
  keyspaceFact,
  ownerFact,
  ownerId,
  readyVerifier,
  workspaceId,
} from '../testing/sample-facts.arbitrary.ts';
import { BadFrame } from './bad-frame.ts';
import { encodeFrame, type Frame, FrameReader, frameTypes } from './frames.ts';
import { jsonPayload } from './json-payload.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import {
  chunksOf,
  FactList,
  load,
  neverAborted,
  readingOf,
  stretchOf,
  written,
} from './testing/wire-bench.ts';

const few: readonly Fact[] = [
  { kind: 'keyspace', fact: keyspaceFact(1) },
  { kind: 'owner', fact: ownerFact(1) },
  { kind: 'key', fact: keyFact(1) },
  { kind: 'key', fact: keyFact(2) },
];
const tailRow = keyRow(1, keyFact(2, { revision: 2, state: 'revoked' }));
const h1 = { epoch: 1, seqs: [1, 0] };
const tail = () => ({ stretches: [stretchOf(0, [tailRow])], heads: h1 });
const smallReading = () => readingOf(few, { tail });

function* many(count: number): Generator<Fact> {
  yield { kind: 'keyspace', fact: keyspaceFact(1) };
  for (let number = 0; number < count; number += 1) {
    if (number % 10 === 0) yield { kind: 'owner', fact: ownerFact(number) };
    yield { kind: 'key', fact: keyFact(number, { ownerId: ownerId(number - (number % 10)) }) };
  }
}

const small = Buffer.concat(await written(smallReading()));
const large = Buffer.concat(await written(readingOf(many(4_000))));

function framesOf(bytes: Uint8Array): Frame[] {
  return new FrameReader().push(bytes);
}

function joined(frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.map(({ type, payload }) => encodeFrame(type, payload)));
}

/** Loads what is no whole snapshot into a verifier that serves: it is refused, and the verifier stays as it was. */
async function expectRefused(bytes: Uint8Array, why = ''): Promise<void> {
  const { verifier } = readyVerifier();
  const row = keyRow(1, keyFact(7));
  verifier.applyRow(row);
  await expect(load(verifier, bytes), why).rejects.toThrow(BadFrame);
  expect(verifier.applied()).toEqual({ epoch: 1, seqs: [1, 0] });
  expect(verifier.verify(keyString(7), { workspaceId: workspaceId(1) }).code).toBe('valid');
  expect(verifier.stats().versions).toBe(1);
}

describe('a snapshot', () => {
  it('gives its reader the facts, the tail and the heads at its end, however it is cut', async () => {
    for (const size of [1, 9, 64, small.length]) {
      const list = new FactList();
      const parts = Array.from({ length: Math.ceil(small.length / size) }, (_, at) =>
        small.subarray(at * size, (at + 1) * size),
      );
      const end = await readSnapshot(chunksOf(...parts), list, neverAborted);
      expect(end).toEqual({ ...h1, ageMs: 7 });
      expect(list.facts).toEqual(few);
      expect(list.stretches).toEqual(tail().stretches);
    }
  });

  it('puts a verifier where its writer stood, with what changed while it was read', async () => {
    const { verifier, clock } = readyVerifier();
    await load(verifier, small);
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.applied()).toEqual(h1);
    expect(verifier.verify(keyString(1), { workspaceId: workspaceId(1) }).code).toBe('valid');
    expect(verifier.verify(keyString(2), { workspaceId: workspaceId(1) }).code).toBe('revoked');
  });

  it('comes in chunks of some 64 kB, with turns of the event loop between them', async () => {
    const sizes: number[] = [];
    let turns = 0;
    let counting = true;
    const count = () => {
      turns += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    for await (const chunk of writeSnapshot(readingOf(many(4_000)), neverAborted)) sizes.push(chunk.length);
    counting = false;
    expect(Math.max(...sizes)).toBeLessThan(70_000);
    expect(sizes.length).toBeGreaterThan(4);
    expect(turns).toBeGreaterThanOrEqual(sizes.length - 3);
  });

  it('is refused with any byte of it changed', async () => {
    for (let at = 0; at < small.length; at += 1) {
      const changed = Buffer.from(small);
      changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
      await expectRefused(changed, `byte ${at}`);
    }
    const places = fc.sample(fc.nat(large.length - 1), { numRuns: 60, seed: 7 });
    for (const at of places) {
      const changed = Buffer.from(large);
      changed[at] = (changed[at] ?? 0) ^ 0x40;
      await expectRefused(changed, `byte ${at} of the large one`);
    }
  });

  it('is refused cut off anywhere', async () => {
    for (let length = 0; length < small.length; length += 1) await expectRefused(small.subarray(0, length));
  });

  it('is refused with a frame missing, doubled or moved', async () => {
    for (const bytes of [small, large]) {
      const frames = framesOf(bytes);
      for (const [at, frame] of frames.entries()) {
        await expectRefused(joined(frames.toSpliced(at, 1)), `without ${at}`);
        await expectRefused(joined(frames.toSpliced(at, 0, frame)), `${at} twice`);
        const next = frames[at + 1];
        if (next !== undefined)
          await expectRefused(joined(frames.toSpliced(at, 2, next, frame)), `${at} moved`);
      }
    }
  });

  it('is refused with other counts, heads, versions or members than its writer would give', async () => {
    const frames = framesOf(small);
    const withJson = (at: number, change: object) => {
      const frame = frames.at(at);
      if (frame === undefined) throw new Error('there is such a frame');
      const json = JSON.parse(Buffer.from(frame.payload).toString());
      const payload = jsonPayload({ ...json, ...change });
      return joined(frames.with(at, { type: frame.type, payload }));
    };
    const lies = [
      ...[{ keys: 1 }, { owners: 0 }, { keyspaces: 2 }, { seqs: [2, 0] }, { seqs: [1] }].map(
        (lie) => [-1, lie] as const,
      ),
      ...[{ epoch: 2 }, { age_ms: -1 }, { age_ms: 'now' }, { more: 1 }].map((lie) => [-1, lie] as const),
      ...[{ v: 2 }, { seqs: [1, 0] }, { seqs: [] }, { epoch: 0 }, { more: 1 }].map(
        (lie) => [0, lie] as const,
      ),
    ];
    for (const [at, lie] of lies) await expectRefused(withJson(at, lie), JSON.stringify(lie));
    const facts = Buffer.from(frames[1]?.payload ?? []);
    facts[0] = 2;
    await expectRefused(
      joined(frames.with(1, { type: frameTypes.facts, payload: facts })),
      'facts of format 2',
    );
  });

  it('is refused with anything after its end, and where its sender says that it gave up', async () => {
    const [hello] = framesOf(small);
    if (hello === undefined) throw new Error('there is a hello');
    const problem = encodeFrame(frameTypes.problem, jsonPayload({ code: 'stale' }));
    await expectRefused(Buffer.concat([small, Uint8Array.of(0)]));
    await expectRefused(Buffer.concat([small, encodeFrame(frameTypes.heartbeat, jsonPayload({}))]));
    await expectRefused(Buffer.concat([joined([hello]), problem]));
  });

  it('ends, and takes no tail, when its reader has gone or its writer can not tell the tail', async () => {
    const gone = new AbortController();
    let chunks = 0;
    const write = async (reading = readingOf(many(4_000)), signal = gone.signal) => {
      for await (const _ of writeSnapshot(reading, signal)) {
        chunks += 1;
        if (chunks === 2) gone.abort(new Error('gone'));
      }
    };
    await expect(write()).rejects.toThrow('gone');
    const holed = () => ({ stretches: [stretchOf(1, [])], heads: h1 });
    await expect(write(readingOf(few, { tail: holed }), neverAborted)).rejects.toThrow('hole');
    const short = () => ({ stretches: [], heads: h1 });
    await expect(write(readingOf(few, { tail: short }), neverAborted)).rejects.toThrow('leads to its heads');
  });

  it('is left by a reader that has been told to stop', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await expect(readSnapshot(chunksOf(small), new FactList(), stop.signal)).rejects.toThrow('stopped');
  });

  it('never takes random bytes for one', () => {
    checkProperty(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const reader = new FrameReader();
        expect(() => {
          reader.push(bytes);
          reader.end();
        }).toThrow(BadFrame);
      }),
      process.env,
    );
  });
});
