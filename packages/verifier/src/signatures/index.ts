/*
 * The table of algorithms of `@keyswarm/core` at work in Node: signing, verifying, public keys.
 */

export { bytesOfBase64url, jwkOf, publicKeyBytes, publicKeyOf, rawOfJwk } from './public-key.ts';
export { isKeyOf, signatureCheck, signBytes, verifyBytes } from './sign-bytes.ts';
