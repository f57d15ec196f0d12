/*
 * Keyswarm's profile of RFC 9421: what a signed request has to cover and to say, for those who sign and for those who
 * verify alike.
 */
export const signedRequestProfile = Object.freeze({
  /** Says that the signature is meant for us: one made for anything else by the same key is none. */
  tag: 'keyswarm',
  /** The target is the whole URI: a request that is captured at one host is of no use at another. */
  components: Object.freeze(['@method', '@target-uri'] as const),
  componentsWithContent: Object.freeze(['content-digest'] as const),
  /** For so long a nonce has to be remembered, and for so long a captured request may work where it wasn't seen. */
  lifetimeSecondsMax: 60,
  /** 16 characters of base64url are 96 bits: no two of a key meet by chance. */
  nonceLengthMin: 16,
  nonceLengthMax: 64,
  /** An id of a key, a point, a version: `key_….2`. */
  keyIdLengthMax: 64,
});

/** What a client signs for if it doesn't say: enough for clocks that are off by some seconds on either side. */
export const signatureLifetimeDefaultSeconds = 30;
/** Bytes of chance in the nonces that we make: 22 characters of base64url. */
export const nonceBytes = 16;
