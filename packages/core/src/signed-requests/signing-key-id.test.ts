import { describe, expect, it } from 'vitest';
import { idFromUuidBytes } from '../ids/id-codec.ts';
import { uuidV7 } from '../ids/uuid.ts';
import { signedRequestProfile } from './profile.ts';
import { formatSigningKeyId, parseSigningKeyId } from './signing-key-id.ts';

const keyId = idFromUuidBytes('key', uuidV7(1_800_000_000_000, new Uint8Array(10), 3));

describe('the keyid of a signed request', () => {
  it('is read as it was written, and fits the profile', () => {
    const text = formatSigningKeyId(keyId, 999_999_999);
    expect(parseSigningKeyId(text)).toEqual({ keyId, version: 999_999_999 });
    expect(text.length).toBeLessThanOrEqual(signedRequestProfile.keyIdLengthMax);
  });

  it.each([
    '',
    keyId,
    `${keyId}.`,
    `${keyId}.0`,
    `${keyId}.01`,
    `${keyId}.-1`,
    `${keyId}.1.1`,
    `own_x.1`,
    `.1`,
    `${keyId}.1e3`,
  ])('is nothing else: %s', (text) => {
    expect(parseSigningKeyId(text)).toBeUndefined();
  });
});
