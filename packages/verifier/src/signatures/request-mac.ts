import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/*
 * The secret with which a holder signs who has nothing but its key string: derived from it by HKDF (RFC 5869), so that
 * whoever holds the derived one can't come back to the key string, and so can neither present it, nor renew it.
 *
 * But whoever can verify a MAC can make one. So the authority seals each derived secret as soon as it is made, and what
 * is stored and what the feed carries is the sealed form. It opens under the MAC key of the workspace, which comes from
 * the master key: servers have it, and a verifier only if its operator gave it to it.
 */

const macKeyInfo = 'keyswarm/request-mac/1';
export const macKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** A nonce, the secret, a tag. */
export const sealedMacBytes = nonceBytes + macKeyBytes + tagBytes;

/** The secret of a key string. The SDK derives the same with Web Crypto. */
export function deriveMacKey(keyString: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', keyString, '', macKeyInfo, macKeyBytes));
}

/** Bound to the version it is of (`signingKeyId`): moved to another row, it does not open. */
export function sealMacKey(
  workspaceKey: Uint8Array,
  macKey: Uint8Array,
  about: { readonly signingKeyId: string; readonly nonce: Uint8Array },
): Uint8Array {
  if (about.nonce.length !== nonceBytes || macKey.length !== macKeyBytes)
    throw new RangeError('a MAC key has 32 bytes, and its nonce 12');
  const cipher = createCipheriv('aes-256-gcm', workspaceKey, about.nonce);
  cipher.setAAD(Buffer.from(about.signingKeyId));
  return Buffer.concat([about.nonce, cipher.update(macKey), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined: it was sealed under another key, for another version, or is damaged. */
export function openMacKey(
  workspaceKey: Uint8Array,
  sealed: Uint8Array,
  signingKeyId: string,
): KeyObject | undefined {
  if (sealed.length !== sealedMacBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', workspaceKey, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(signingKeyId));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    const opened = Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    const key = createSecretKey(opened);
    opened.fill(0);
    return key;
  } catch {
    return undefined;
  }
}
