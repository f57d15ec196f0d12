import { sign, verify } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '../runtime/random.ts';
import { MasterKey } from './master-key.ts';
import { KeySeal } from './seal-key.ts';
import { newKeyPair, privateKeyOf, SignPool } from './sign-text.ts';

const master = (byte: number) => new MasterKey(new Uint8Array(32).fill(byte));

describe('a private key at rest', () => {
  const key = { id: 'sk_1', publicKey: new Uint8Array(32).fill(9) };
  const bytes = Buffer.from('what signs');

  test('opens under its master key alone, for its own record alone, and not after a bit has changed', () => {
    const seal = new KeySeal({ current: master(1) }, systemRandom);
    const sealed = seal.seal(key, bytes);
    expect(Buffer.from(sealed).includes('what signs')).toBe(false);
    expect(Buffer.from(seal.open({ ...key, sealed })?.bytes ?? []).toString()).toBe('what signs');
    expect(new KeySeal({ current: master(2) }, systemRandom).open({ ...key, sealed })).toBeUndefined();
    expect(seal.open({ ...key, id: 'sk_2', sealed })).toBeUndefined();
    expect(seal.open({ ...key, publicKey: new Uint8Array(32), sealed })).toBeUndefined();
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect(seal.open({ ...key, sealed: changed })).toBeUndefined();
    }
    expect(seal.open({ ...key, sealed: new Uint8Array() })).toBeUndefined();
  });

  test('opens under the master key of before, which is told apart, and seals nothing any more', () => {
    const sealed = new KeySeal({ current: master(1) }, systemRandom).seal(key, bytes);
    const rotated = new KeySeal({ current: master(2), previous: master(1) }, systemRandom);
    expect(rotated.open({ ...key, sealed })).toMatchObject({ isCurrent: false });
    const again = rotated.seal(key, bytes);
    expect(rotated.open({ ...key, sealed: again })).toMatchObject({ isCurrent: true });
    expect(new KeySeal({ current: master(1) }, systemRandom).open({ ...key, sealed: again })).toBeUndefined();
  });
});

describe('signing', () => {
  test.each(['ed25519', 'ecdsa-p256-sha256'] as const)(
    '%s comes back from its sealed bytes and signs as before',
    async (name) => {
      const pair = await newKeyPair(name);
      const key = privateKeyOf(name, pair.bytes);
      const text = await new SignPool().sign(name, key, 'a text');
      const hash = name === 'ed25519' ? null : 'sha256';
      const input = { key: pair.privateKey, dsaEncoding: 'ieee-p1363' as const };
      expect(verify(hash, Buffer.from('a text'), input, Buffer.from(text, 'base64url'))).toBe(true);
      expect(sign(hash, Buffer.from('a text'), input).length).toBe(64);
    },
  );

  test('does a burst in order of arrival, all of it, while the event loop turns', async () => {
    const { privateKey } = await newKeyPair('ed25519');
    const pool = new SignPool();
    const delay = monitorEventLoopDelay();
    delay.enable();
    let turns = 0;
    const turning = (function turn(): NodeJS.Immediate {
      turns += 1;
      return setImmediate(turn);
    })();
    const done: number[] = [];
    await Promise.all(
      Array.from({ length: 500 }, (_, at) =>
        pool.sign('ed25519', privateKey, `${at}`).then(() => done.push(at)),
      ),
    );
    clearImmediate(turning);
    delay.disable();
    expect(done).toHaveLength(500);
    // Had it been signed where it was asked for, no turn would have passed before the last one was done.
    expect(turns).toBeGreaterThan(10);
  });
});
