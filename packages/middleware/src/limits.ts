/** What is read of a signed request's content to be hashed: it is held in memory until then. */
export const signedBodyBytesMax = 1_048_576;
/** An `Authorization` with more holds no key of ours: a token is under 4 kB. */
export const authorizationLengthMax = 8_192;
/** Told with 429 and 503. */
export const retryAfterSeconds = 1;
