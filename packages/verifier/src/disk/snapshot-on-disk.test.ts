import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import { createResidentVerifier } from '../resident-verifier.ts';
import {
  keyFact,
  keyRow,
  keyString,
  readyVerifier,
  sampleSeed,
  startMs,
} from '../testing/sample-facts.arbitrary.ts';
import type { ResidentVerifier } from '../verifier-port.ts';
import { encodeFrame, FrameReader, frameTypes } from '../wire/frames.ts';
import { jsonPayload } from '../wire/json-payload.ts';
import { loadSnapshot } from './load-snapshot.ts';
import { saveSnapshot } from './save-snapshot.ts';

const made: string[] = [];
let directory = '';
let path = '';
const identity = 'https://relay.example ws_1';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswarm-disk-'));
  made.push(directory);
  path = join(directory, 'feed.snapshot');
});

afterAll(async () => {
  for (const each of made) await rm(each, { recursive: true, force: true });
});

function readingOf(verifier: ResidentVerifier, whose = identity) {
  const heads = verifier.applied();
  return {
    heads,
    ageMs: 5,
    facts: verifier.facts(),
    tail: () => ({ stretches: [], heads }),
    identity: whose,
  };
}

function withKeys(count: number): ResidentVerifier {
  const { verifier } = readyVerifier();
  for (let seq = 1; seq <= count; seq += 1) verifier.applyRow(keyRow(seq, keyFact(seq)));
  return verifier;
}

const fresh = () => {
  const clock = new ManualVerifierClock(startMs);
  return { clock, verifier: createResidentVerifier({ clock, indexSeed: sampleSeed }) };
};

async function expectIgnored(why: string): Promise<void> {
  const { verifier } = fresh();
  expect(await loadSnapshot(path, { verifier, identity })).toMatchObject({ loaded: false, why });
  expect(verifier.ready).toBe(false);
  expect(verifier.stats().versions).toBe(0);
}

describe('a snapshot on disk', () => {
  it('gives a new verifier its position and no lease, and what follows makes it whole', async () => {
    await saveSnapshot(path, readingOf(withKeys(3)));
    const { verifier, clock } = fresh();
    expect(await loadSnapshot(path, { verifier, identity })).toEqual({
      loaded: true,
      heads: { epoch: 1, seqs: [3, 0] },
    });
    expect(verifier.stats().leaseAgeMs).toBe(Number.POSITIVE_INFINITY);
    expect(verifier.verify(keyString(2), {}).code).toBe('stale');
    expect(verifier.applyRow(keyRow(4, keyFact(2, { revision: 2, state: 'revoked' })))).toBe(true);
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.verify(keyString(1), {}).code).toBe('valid');
    expect(verifier.verify(keyString(2), {}).code).toBe('revoked');
  });

  it('says of what view it is, so that the first answer of another has it loaded anew', async () => {
    await saveSnapshot(path, { ...readingOf(withKeys(1)), view: 'narrow' });
    const { verifier } = fresh();
    expect(await loadSnapshot(path, { verifier, identity })).toMatchObject({ loaded: true });
    expect(verifier.view).toBe('narrow');
  });

  it('can be read by nobody else, and leaves nothing beside it', async () => {
    const { bytes } = await saveSnapshot(path, readingOf(withKeys(3)));
    const { mode, size } = await stat(path);
    expect(mode & 0o777).toBe(0o600);
    expect(size).toBe(bytes);
    expect(await readdir(directory)).toEqual(['feed.snapshot']);
  });

  it('is passed over when it is missing, a directory, or empty', async () => {
    await expectIgnored('missing');
    await writeFile(path, '');
    await expectIgnored('corrupt');
    path = directory;
    await expectIgnored('unreadable');
  });

  it('is passed over when any byte of it is another, when it is torn, and when it was padded', async () => {
    await saveSnapshot(path, readingOf(withKeys(2)));
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += 1) {
      await writeFile(
        path,
        whole.map((byte, place) => (place === at ? byte ^ 0x10 : byte)),
      );
      await expectIgnored('corrupt');
    }
    for (let length = 0; length < whole.length; length += 7) {
      await writeFile(path, whole.subarray(0, length));
      await expectIgnored('corrupt');
    }
    await writeFile(path, Buffer.concat([whole, Buffer.alloc(4096)]));
    await expectIgnored('corrupt');
    // Blocks that never reached the disk read as zeros.
    await writeFile(path, Buffer.concat([whole.subarray(0, 100), Buffer.alloc(whole.length - 100)]));
    await expectIgnored('corrupt');
  });

  it('is passed over when a later version wrote it, or when it is of another identity', async () => {
    await saveSnapshot(path, readingOf(withKeys(2), 'https://relay.example ws_2'));
    await expectIgnored('foreign');
    await saveSnapshot(path, readingOf(withKeys(2)));
    const frames = new FrameReader().push(await readFile(path));
    const hello = { v: 2, shape: 'another one' };
    const newer = frames.map(({ type, payload }) =>
      encodeFrame(type, type === frameTypes.hello ? jsonPayload(hello) : payload),
    );
    await writeFile(path, Buffer.concat(newer));
    await expectIgnored('too_new');
  });

  it('takes nothing from a verifier that is ready', async () => {
    await saveSnapshot(path, readingOf(withKeys(2)));
    const verifier = withKeys(5);
    expect(await loadSnapshot(path, { verifier, identity })).toMatchObject({ loaded: false, why: 'ready' });
    expect(verifier.verify(keyString(5), {}).code).toBe('valid');
  });

  it('stays as it was when the next one fails or is given up, and a part left behind is in nobody’s way', async () => {
    await saveSnapshot(path, readingOf(withKeys(3)));
    const before = await readFile(path);
    await writeFile(`${path}.part`, 'left behind');
    const failing = () => {
      throw new Error('the relay has reloaded');
    };
    await expect(saveSnapshot(path, { ...readingOf(withKeys(4)), tail: failing })).rejects.toThrow(
      'reloaded',
    );
    await expect(saveSnapshot(join(directory, 'no', 'where'), readingOf(withKeys(1)))).rejects.toThrow(
      'ENOENT',
    );
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(directory)).toEqual(['feed.snapshot']);
  });

  it('has one writer at a time in a process, and an unfinished file of another process is not loaded', async () => {
    const first = saveSnapshot(path, readingOf(withKeys(3)));
    await expect(saveSnapshot(path, readingOf(withKeys(3)))).rejects.toThrow('already');
    await first;
    await expect(saveSnapshot(path, readingOf(withKeys(3)))).resolves.toHaveProperty('bytes');
    const file = await open(path, 'r+');
    await file.truncate(50);
    await file.close();
    await expectIgnored('corrupt');
  });
});
