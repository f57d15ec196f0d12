import { parseId } from '../ids/id-codec.ts';
import type { KeyId } from '../ids/ids.ts';

/** `keyid` of a signed request: which key, and which version of it. No secret, and safe to log. */
export function formatSigningKeyId(keyId: KeyId, version: number): string {
  return `${keyId}.${version}`;
}

/** Undefined: it names no key of ours. */
export function parseSigningKeyId(
  text: string,
): { readonly keyId: KeyId; readonly version: number } | undefined {
  const pointAt = text.lastIndexOf('.');
  if (pointAt === -1 || !versionShape.test(text.slice(pointAt + 1))) return undefined;
  const keyId = parseId('key', text.slice(0, pointAt));
  return keyId === undefined ? undefined : { keyId, version: Number(text.slice(pointAt + 1)) };
}

/** 1 to 2^31 - 1, in the one spelling that it has. */
const versionShape = /^[1-9]\d{0,8}$/;
