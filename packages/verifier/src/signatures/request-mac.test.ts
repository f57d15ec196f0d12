import { describe, expect, it } from 'vitest';
import { deriveMacKey, openMacKey, sealedMacBytes, sealMacKey } from './request-mac.ts';

const workspaceKey = new Uint8Array(32).fill(9);
const macKey = deriveMacKey('orders_live_key');
const about = { signingKeyId: 'key_1.1', nonce: new Uint8Array(12).fill(5) };
const sealed = sealMacKey(workspaceKey, macKey, about);

describe('the MAC key of a key string', () => {
  it('is its own for each string, and is not the fingerprint', () => {
    expect(macKey).toEqual(deriveMacKey('orders_live_key'));
    expect(macKey).not.toEqual(deriveMacKey('orders_live_kez'));
    // RFC 5869 with an empty salt: also what Web Crypto gives.
    expect(Buffer.from(macKey).toString('hex')).toMatchInlineSnapshot(
      `"134c0bc5d4df545efce8b4f70038e9b50a0a5dfe25daad5bcbb06b79280a0e3f"`,
    );
  });

  it('opens under the key of its workspace and for its version, and nowhere else', () => {
    expect(openMacKey(workspaceKey, sealed, 'key_1.1')?.export()).toEqual(Buffer.from(macKey));
    expect(openMacKey(workspaceKey, sealed, 'key_1.2')).toBeUndefined();
    expect(openMacKey(new Uint8Array(32), sealed, 'key_1.1')).toBeUndefined();
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect(openMacKey(workspaceKey, changed, 'key_1.1')).toBeUndefined();
    }
    expect(openMacKey(workspaceKey, sealed.subarray(1), 'key_1.1')).toBeUndefined();
  });

  it('does not stand in what is sealed', () => {
    expect(sealed.length).toBe(sealedMacBytes);
    expect(Buffer.from(sealed).includes(Buffer.from(macKey))).toBe(false);
  });
});
