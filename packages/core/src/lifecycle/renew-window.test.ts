import { describe, expect, it } from 'vitest';
import { idFromUuidBytes } from '../ids/id-codec.ts';
import { uuidV7 } from '../ids/uuid.ts';
import { renewSpreadMs } from '../limits/limits.ts';
import { type RenewableVersion, renewWindowOf } from './renew-window.ts';

const dayMs = 86_400_000;
const keyId = (at: number) =>
  idFromUuidBytes('key', uuidV7(1_800_000_000_000, new Uint8Array(10).fill(at % 251), at & 255));
const opensOf = (version: RenewableVersion) => renewWindowOf(version)?.opensMs ?? null;
const life = { keyId: keyId(1), number: 1, mintedAtMs: 0, expiresAtMs: 90 * dayMs, askedFromMs: null };

describe('the window in which a holder renews', () => {
  it('opens in the last third of a life and leaves at least a sixth of it, spread over the keys of a fleet', () => {
    const opens = Array.from({ length: 1000 }, (_, at) => opensOf({ ...life, keyId: keyId(at) }) ?? 0);
    expect(Math.min(...opens)).toBeGreaterThanOrEqual(60 * dayMs);
    expect(Math.max(...opens)).toBeLessThan(75 * dayMs);
    const tenths = new Set(opens.map((opensMs) => Math.floor((opensMs - 60 * dayMs) / (1.5 * dayMs))));
    expect(tenths.size).toBe(10);
  });

  it('is the same wherever it is reckoned, and another for the next version', () => {
    expect(opensOf(life)).toBe(opensOf({ ...life }));
    expect(opensOf({ ...life, number: 2 })).not.toBe(opensOf(life));
  });

  it('opens when the holder is asked to, if that is sooner', () => {
    expect(opensOf({ ...life, askedFromMs: 5 })).toBe(5);
    expect(opensOf({ ...life, askedFromMs: 89 * dayMs })).toBeLessThan(75 * dayMs);
  });

  it('ends where half of the rest of the life is left for trying again, or soon after it was asked for', () => {
    const own = renewWindowOf(life) ?? { opensMs: 0, closesMs: 0 };
    expect(own.closesMs - own.opensMs).toBeCloseTo((90 * dayMs - own.opensMs) / 2, -1);
    expect(renewWindowOf({ ...life, askedFromMs: 5 })?.closesMs).toBe(5 + renewSpreadMs);
    const short = { ...life, expiresAtMs: 6000, askedFromMs: 1000 };
    expect(renewWindowOf(short)?.closesMs).toBeLessThan(6000);
  });

  it('never opens by itself for a key that never ends', () => {
    expect(opensOf({ ...life, expiresAtMs: null })).toBeNull();
    expect(opensOf({ ...life, expiresAtMs: null, askedFromMs: 7 })).toBe(7);
  });
});
