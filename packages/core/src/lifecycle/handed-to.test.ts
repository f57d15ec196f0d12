import { describe, expect, it } from 'vitest';
import { idFromUuidBytes } from '../ids/id-codec.ts';
import { handOut } from './handed-to.ts';
import type { KeyRecord } from './key-record.ts';
import { issued, keyId, keyspaceWith, t0 } from './records.arbitrary.ts';
import { rotateKey } from './rotate-key.ts';

const idOf = (byte: number) => idFromUuidBytes('key', new Uint8Array(16).fill(byte));
const [first, second] = [idOf(1), idOf(2)];

/** A rotation by somebody, at once final or with a grace of ten minutes. */
function rotated(key: KeyRecord, by: typeof keyId, { graceSeconds = 600, nowMs = t0 + 1 } = {}): KeyRecord {
  const fingerprint = new Uint8Array(32).fill(key.revision + 100);
  const after = rotateKey(key, keyspaceWith(), { fingerprint, cut: true, graceSeconds }, nowMs);
  return { ...after, traits: handOut(key, after, by, nowMs) };
}

const takersOf = ({ traits }: KeyRecord) => (traits.handedTo ?? []).map(({ keyId }) => keyId);

describe('who was handed a secret of a management key', () => {
  it('is known for as long as that secret may live', () => {
    const taken = rotated(issued(), first);
    expect(takersOf(taken)).toEqual([first]);
    expect(takersOf(rotated(taken, second))).toEqual([first, second]);
  });

  it('is still known when the key renews itself, however often', () => {
    let key = rotated(issued(), first);
    for (let turn = 0; turn < 6; turn += 1) key = rotated(key, keyId, { graceSeconds: turn % 2 });
    expect(new Set(takersOf(key))).toEqual(new Set([first]));
  });

  it('is forgotten once others have rotated every such secret away', () => {
    let key = rotated(issued(), first);
    for (let turn = 0; turn < 3; turn += 1) key = rotated(key, second, { graceSeconds: 0 });
    expect(new Set(takersOf(key))).toEqual(new Set([second]));
  });

  it('is nobody where a key has only ever rotated itself', () => {
    expect(rotated(issued(), keyId).traits).not.toHaveProperty('handedTo');
  });
});
