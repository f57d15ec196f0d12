import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NonceMemory } from './nonce-memory.ts';

const limits = { entriesMax: 100, perKeyMax: 10 };

describe('the memory of nonces', () => {
  it('knows a nonce until its signature has expired for sure, and then says so', () => {
    const memory = new NonceMemory(limits);
    memory.note('key_a.1', 'n', 1_060);
    expect(memory.has('key_a.1', 'n')).toBe(true);
    expect(memory.has('key_a.2', 'n')).toBe(false);
    memory.hasRoom('key_a.1', 1_059_999);
    expect(memory.has('key_a.1', 'n')).toBe(true);
    expect(memory.hasForgotten(1_060)).toBe(false);
    memory.hasRoom('key_a.1', 1_060_000);
    expect(memory.has('key_a.1', 'n')).toBe(false);
    expect(memory.hasForgotten(1_060)).toBe(true);
  });

  it('does not take a nonce for new again when the clock goes back', () => {
    const memory = new NonceMemory(limits);
    memory.note('key_a.1', 'n', 1_060);
    memory.hasRoom('key_a.1', 1_070_000);
    memory.hasRoom('key_a.1', 1_000_000);
    expect(memory.hasForgotten(1_060)).toBe(true);
  });

  it('has no room rather than forget, for one key past its share and for all past the whole', () => {
    const memory = new NonceMemory(limits);
    for (let n = 0; n < 10; n += 1) memory.note('key_a.1', `${n}`, 1_060);
    expect(memory.hasRoom('key_a.1', 1_000_000)).toBe(false);
    expect(memory.hasRoom('key_b.1', 1_000_000)).toBe(true);
    for (let n = 0; n < 90; n += 1) memory.note(`key_${n}.1`, 'n', 1_061);
    expect(memory.hasRoom('key_c.1', 1_000_000)).toBe(false);
    expect(memory.has('key_a.1', '0')).toBe(true);
    expect(memory.hasRoom('key_a.1', 1_060_000)).toBe(true);
    expect(memory.size).toBe(90);
    expect(memory.hasRoom('key_a.1', 1_061_000)).toBe(true);
    expect(memory.size).toBe(0);
  });

  it('never lets the same nonce of the same key through twice, in whatever order and at whatever times', () => {
    const attempt = fc.record({
      key: fc.constantFrom('key_a.1', 'key_b.1'),
      nonce: fc.constantFrom('x', 'y', 'z'),
      life: fc.integer({ min: 1, max: 60 }),
      stepMs: fc.integer({ min: -5_000, max: 30_000 }),
    });
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 60 }), (attempts) => {
        const memory = new NonceMemory({ entriesMax: 4, perKeyMax: 3 });
        // The very same signature, its time included, may be sent again at any time.
        const accepted = new Set<string>();
        const sent: { key: string; nonce: string; expires: number }[] = [];
        let nowMs = 1_000_000;
        for (const { key, nonce, life, stepMs } of attempts) {
          nowMs += stepMs;
          sent.push({ key, nonce, expires: Math.floor(nowMs / 1000) + life });
          for (const one of sent) {
            if (nowMs >= one.expires * 1000 || memory.hasForgotten(one.expires)) continue;
            if (memory.has(one.key, one.nonce) || !memory.hasRoom(one.key, nowMs)) continue;
            const name = `${one.key} ${one.nonce} ${one.expires}`;
            expect(accepted.has(name)).toBe(false);
            accepted.add(name);
            memory.note(one.key, one.nonce, one.expires);
          }
          expect(memory.size).toBeLessThanOrEqual(4);
        }
      }),
    );
  });
});
