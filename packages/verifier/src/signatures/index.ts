/*
 * The table of algorithms of `@keyswarm/core` at work in Node (signing, verifying, public keys), and what requests are
 * signed with.
 */

export { bytesOfBase64url, jwkOf, publicKeyBytes, publicKeyOf, rawOfJwk } from './public-key.ts';
export { deriveMacKey, macKeyBytes, openMacKey, sealedMacBytes, sealMacKey } from './request-mac.ts';
export { isKeyOf, signatureCheck, signBytes, verifyBytes } from './sign-bytes.ts';
