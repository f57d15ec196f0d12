/*
 * Every bound of the rules, in one place. A bound exists so that a single caller can't make one record, one
 * row or one message arbitrarily large. The largest key there can be: 64 scopes x 128 + 32 metadata entries x
 * (64 + 512) + name 128 = 27 kB of characters; its fact (no metadata, no name) is under 9 kB, so that a feed
 * batch of 500 rows stays under 5 MB in the worst case and under 500 kB in the usual one.
 */

/** ρ: how far two clocks may drift apart while a lease runs, as a share of the lease. */
export const leaseDriftRatio = 0.01;

/** No verifier accepts the key after this instant once its revocation was acknowledged at `ackMs`. */
export function effectiveByMs(ackMs: number, leaseMs: number): number {
  return ackMs + leaseMs + Math.ceil(leaseMs * leaseDriftRatio);
}

/**
 * What may pass between the reading of the store's clock in a transaction and its COMMIT: the transaction is given up
 * after that. A bound that counts from a commit adds this to the time that was read before it.
 */
export const commitMsMax = 10_000;

export const leaseSecondsMin = 1;
export const leaseSecondsMax = 600;
/** Long enough that a failover of the store in under half a minute costs no verification. */
export const leaseDefaultSeconds = 30;

export const graceDefaultSeconds = 600;
/** What a keyspace gets as its maximum when none is given, and the most that it can be given. */
export const maxGraceDefaultSeconds = 7 * 86_400;
export const maxGraceSecondsMax = 366 * 86_400;
/** Below a minute a schedule would ask faster than holders can renew; 100 years is as good as never. */
export const rotateAfterSecondsMin = 60;
export const rotateAfterSecondsMax = 100 * 366 * 86_400;
/** As long as the longest grace: a settling that outlasts the grace has no effect. */
export const settleSecondsMax = maxGraceSecondsMax;
/** A version used within this window counts as in use: finishing its rotation needs force. What a keyspace gets unless told. */
export const inUseWindowSecondsDefault = 5 * 60;

/**
 * How long a version that its holder was given has to show itself before the version in grace may ask for another in its
 * place. Longer than any verifier takes to report a first use, so that one which is in use is never taken away.
 */
export const successorUnprovenMs = 15_000;
/** Holders that were asked to renew at one instant draw a moment within this after it. */
export const renewSpreadMs = 30_000;
/** Told to a holder whose key has no window: somebody may ask for its renewal at any time. */
export const renewAskAgainMs = 3_600_000;

/** Exchanges of one enrollment key: a fleet of a million, made with one. */
export const enrollmentUsesMax = 1_000_000;

/** Holders that are asked by a keyspace's rule come within a day: a million of them are twelve a second. */
export const renewalSpreadMsMax = 86_400_000;

/**
 * A verifier tells of a use at once, and of further ones of the same version no sooner than this after it has told of
 * one. So of a version that is in use something was told within the last of these, and a window is never shorter.
 */
export const useRepeatMs = 30_000;
/** Twice that, for the time that a use takes until it is stored. */
export const inUseWindowMsMin = 60_000;
export const inUseWindowSecondsMin = inUseWindowMsMin / 1000;
/**
 * 45 minutes. A verifier that is gone is known of for an hour; with the longest lease it may have accepted keys for ten minutes
 * of that. A longer window would take it for heard of.
 */
export const inUseWindowSecondsMax = 45 * 60;

/** Versions that a record carries, of which `versionsLiveMax` may work at once. */
export const versionsKeptMax = 3;
export const versionsLiveMax = 2;

export const ttlSecondsMax = 100 * 366 * 86_400;
/** 9999-12-31T23:59:59.999Z: RFC 3339 has four digits for a year. */
export const timeMsMax = 253_402_300_799_999;

export const scopeLengthMax = 128;
export const scopesPerKeyMax = 64;
export const scopesPerKeyspaceMax = 64;
export const metadataEntriesMax = 32;
export const metadataKeyLengthMax = 64;
export const metadataValueLengthMax = 512;
export const nameLengthMax = 128;
export const keyspaceNameLengthMax = 64;
export const externalIdLengthMax = 256;
export const reasonLengthMax = 256;
export const prefixLengthMax = 24;

/** Holders of a campaign are spread over a month at the most, and a sample is watched for a day. */
export const campaignWindowSecondsMax = 31 * 86_400;
export const campaignHoldSecondsMax = 86_400;
/** How long a request may wait to be decided, and once more to be collected. */
export const approvalWaitSecondsMin = 60;
export const approvalWaitDefaultSeconds = 86_400;
export const approvalWaitSecondsMax = 30 * 86_400;
/**
 * Requests of one keyspace that wait to be decided or collected: a burst waits in the store and not in memory, and this
 * is what it may take there: a request is 1 kB in the usual case and 40 kB in the worst.
 */
export const openApprovalsPerKeyspaceMax = 10_000;

/** Any string offered as a key, imported ones too: longer ones are malformed without a look at them. */
export const keyLengthMax = 512;

/**
 * A token: header, claims and signature. 64 scopes of 40 characters and all the rest are 3.6 kB; what is longer is
 * malformed without a look at it, so that a megabyte costs nothing.
 */
export const tokenLengthMax = 4_096;

/** A URL that names an authority; it stands in every token. */
export const issuerLengthMax = 256;

/** How far ahead of the verifier's clock a token may be dated: the clocks of two servers and the network between. */
export const tokenSkewMsMax = 10_000;

/** 9999, in seconds. */
export const tokenTimeSecondsMax = 253_402_300_799;

/** A key that is a JWT lives at most a year: as long as that its signing key has to be kept. */
export const jwtTtlSecondsMax = 366 * 86_400;

/** Tokens of one key whose places in status lists are kept: 32 of 40 bytes; a token a day for a month. */
export const tokensPerKeyMax = 32;

/** Managers that were handed one version of a management key; with so many nothing is decided by it any more. */
export const takersMax = 32;

/** A derived token: short, because whoever only reads the JWKS learns of a revocation no sooner than it expires. */
export const derivedTtlDefaultSeconds = 300;
export const derivedTtlSecondsMax = 3_600;

/** Key, token of the key, token of that, and one more. */
export const deriveDepthMax = 3;

/** Shards are a power of two up to this, because a shard is the low bits of one byte. */
export const shardsMax = 256;

/** `data` of a feed row: its nesting and the number of values in it. */
export const eventDataDepthMax = 4;
export const eventDataValuesMax = 256;
export const eventDataTextLengthMax = 1024;
