/*
 * The bounds of what crosses the wire. Those of the things themselves (scopes, names, metadata, durations) are
 * the core's. A body limit is what one request may make the server hold before anything in it has been looked
 * at, so each is derived from the largest honest request:
 *
 *   common   64 KiB  one key with 64 scopes of 128 characters and 32 metadata entries of 576 is 27 KiB
 *   verify    2 MiB  a caller may forward whatever a client sent as a key; the answer is a verdict, so the
 *                    body has to get in before it can be called malformed
 *   lease   512 KiB  a relay names up to 1,000 verifiers behind it, with names and 16 sequence numbers each
 *   bulk      8 MiB  1,000 keys of 8 KiB; the largest honest key is rarer than that by far
 */
export const bodyLimitBytes = Object.freeze({
  none: 0,
  common: 64 * 1024,
  verify: 2 * 1024 * 1024,
  lease: 512 * 1024,
  bulk: 8 * 1024 * 1024,
});

/** Items of one bulk request. */
export const bulkItemsMax = 1_000;

export const pageLimitMax = 200;
export const pageLimitDefault = 50;

/** Versions of one page of a lineage: most keys have fewer. */
export const lineagePageMax = 50;

export const workspaceNameLengthMax = 64;

/** Name and region of a verifier. */
export const verifierNameLengthMax = 128;

/** Verifiers that a relay names in one ask, and that one list shows. */
export const downstreamMax = 1_000;
export const downstreamCountMax = 1_000_000;
/** Keyspaces that a relay names of what one behind it may accept. */
export const reachNamedMax = 16;
export const verifiersListedMax = 1_000;

/** Of one frame of what is watched: 200 x 300 bytes a second to each who watches, and keyspaces by their leases. */
export const liveVerifiersMax = 200;
export const liveKeyspacesMax = 100;

/** Uses of rotating keys that one ask for the lease carries: 120 bytes each, 60 kB. */
export const usesPerAskMax = 500;

/** The address of a webhook, and what people call it. */
export const webhookUrlLengthMax = 2_048;
export const webhookDescriptionLengthMax = 256;

/** For how long the secret before the last one of a webhook may sign as well. */
export const webhookOverlapSecondsDefault = 86_400;
export const webhookOverlapSecondsMax = 7 * 86_400;

/** Generous: what is wrong with a prefix is said by the core (`invalid_prefix`), not by a length check. */
export const prefixTextLengthMax = 128;

/** Characters of a cursor: 256 shards of eight-byte sequence numbers are 2,744 in base64url. */
export const cursorLengthMax = 4_096;

/** The bytes that an Idempotency-Key may be made of: printable ASCII without blanks. */
export const idempotencyKeyPattern = '^[\\x21-\\x7e]{1,255}$';

/** The tag of a part of the feed: a digest of 16 characters, and room for one that is longer. */
export const feedViewLengthMax = 64;

/** A public key in base64url: 86 characters for the longest that we take. */
export const publicKeyTextMax = 128;
/** A JWK has its key, and perhaps what others keep with it (`kid`, `use`, `alg`, `x5t` …), which is not read. */
export const jwkMembersMax = 16;
export const jwkMemberLengthMax = 1024;

/** A request that is described to be verified: what a server of HTTP/1.1 takes by default, and no more. */
export const requestUrlLengthMax = 8_192;
export const requestMethodLengthMax = 32;
export const requestHeadersMax = 64;
export const requestHeaderNameLengthMax = 128;
export const requestHeaderValueLengthMax = 8_192;
