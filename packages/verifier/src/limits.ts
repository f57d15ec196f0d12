/*
 * Every bound of the verifier that no caller and no setting may lift, with the sketch that justifies it.
 */

// --- Verdicts. ------------------------------------------------------------------------------------------------

/** Tokens whose signatures need not be verified again: 20,000 of some 500 bytes are 10 MB. */
export const tokensRememberedMax = 20_000;

// --- Following a feed. --------------------------------------------------------------------------------------

/** Rows of one read: about 600 bytes each, 600 kB; decoding them holds the event loop for under 10 ms. */
export const feedPageRows = 1_000;

/** How often the lease is asked for, whatever it is: design §7. */
export const leaseAskMs = 250;

/** One ask for the lease: past this it is another try that is due, perhaps of another relay. */
export const leaseAskMsMax = 2_000;

/** One read of rows. */
export const rowsReadMsMax = 10_000;

/**
 * Between two rounds that waiting callers asked for, at least so long: a flood of keys that nobody knows costs at
 * most two hundred head reads a second, and its waiters 5 ms.
 */
export const catchUpPauseMs = 5;

/** The pause after a failed round doubles between these two, and is drawn at random below its value. */
export const followerPauseMsMin = 50;
export const followerPauseMsMax = 2_000;

/** Callers that wait for one catch-up round. A round takes milliseconds; more callers mean that the store hangs. */
export const catchUpWaitersMax = 10_000;

/** How long such a caller waits before it is told `stale`. */
export const catchUpWaitMsMax = 2_000;

/** Told with such a `stale`. */
export const staleRetryAfterMs = 1_000;

/** Pushed rows, of all shards, that wait for those before them: 4,000 x 12 kB at the very worst; a read fetches the rest. */
export const aheadRowsMax = 4_000;

/** Rows that a push is given to bring by itself what a lease answer says is there, before it is read: one trip. */
export const pushGraceMs = 15;

/** Rounds in a row in which a push failed to bring what it should have, before it is taken for deaf. */
export const deafRoundsMax = 3;

// --- Uses of rotating keys, as they are told to the authority. -------------------------------------------------

/**
 * A batch of uses goes out with a lease ask, no sooner than this after the one before: what a verifier that dies takes
 * with it was accepted in the last second and a quarter.
 */
export const usesBatchMs = 1_000;

/** Uses of one batch: 120 bytes each, 60 kB. A second has four asks, so 2,000 uses a second where many wait. */
export const usesPerAskMax = 500;

/** The last ask of a verifier that closes: what a shutdown may cost at the most. */
export const leaveMsMax = 1_000;

/** Uses that a relay holds of those behind it: 150 bytes each, 5 MB. Past that it takes none, and they keep theirs. */
export const usesPassedOnMax = 32_768;

/** First uses that wait to be told; past that the next acceptance is told in place of this one. */
export const firstUsesWaitingMax = 65_536;

/** Of a version whose predecessor's grace ended longer ago, the first use is not told: nobody waits for it. */
export const firstUseToldMs = 86_400_000;

/** The traits of one key in a snapshot, as JSON: a time, an id and some flags. */
export const keyTraitsTextMax = 1_024;

// --- The feed over HTTP. --------------------------------------------------------------------------------------

/** A heartbeat on a stream; three missed ones and its reader gives it up. */
export const feedHeartbeatMs = 1_000;

/** What a slow reader of a stream may leave lying: two of the largest frames, some 3,000 rows. */
export const streamBufferedBytesMax = 2 * 1_048_576;

/** A reader of a snapshot that takes nothing for so long is cut off. */
export const writeStallMsMax = 30_000;

/** A reader of a snapshot takes at least so much in such a time, or gives its place to another. */
export const snapshotPaceMs = 10_000;
export const snapshotPaceBytesMin = 2_000_000;

/** The age of a lease, as told: a day. Who is older has none. */
export const leaseAgeMsMax = 86_400_000;

/** Verifiers behind a relay that it tells of in one ask. */
export const downstreamMax = 1_000;

/** Verifiers that one entry of them stands for. */
export const downstreamCountMax = 1_000_000;

/** Keyspaces that one verifier names. */
export const keyspacesAskedMax = 256;

/** A lease answer: 256 shards of 17 digits are 5 kB. */
export const leaseReplyBytesMax = 16_384;

/** A problem document; of a longer one nothing is read. */
export const problemBytesMax = 16_384;

/** Heads of an answer. Node's own bound, stated. */
export const replyHeadBytesMax = 16_384;

/** Until the head of an answer is there, of whatever was asked for. */
export const replyHeadMsMax = 5_000;

/** A stream that brings nothing for so many heartbeats is deaf. */
export const silentBeatsMax = 3;

/** A snapshot that stops in the middle for so long has been cut off. */
export const snapshotSilentMsMax = 15_000;

/** A whole snapshot: 10 M keys of 150 bytes through 20 Mbit/s are 10 minutes. */
export const snapshotMsMax = 900_000;

/** How long a relay that refused is left alone, less a random part: somebody has to change something first. */
export const refusedPauseMs = 30_000;

/** A relay of an older epoch stands on a primary that was replaced; it will hear of that, or stay out. */
export const olderEpochPauseMs = 10_000;

/** A relay that failed is asked again after this, doubled a failure up to the second, when there are others. */
export const relayPauseMsMin = 500;
export const relayPauseMsMax = 15_000;

/** The most that a relay may make us wait by Retry-After. */
export const retryAfterMsMax = 60_000;

/** An ask that isn't answered by then is put to a second relay as well. */
export const secondAskMs = 400;

/** With two asked, how long the better answer may take after the first one. */
export const betterAnswerMs = 50;

/** Relays of one verifier. */
export const relaysMax = 16;

/** Instants at which it is remembered how far everything was applied: 64 of 256 shards are 130 kB at the most. */
export const appliedMarksMax = 64;

// --- The relay. -----------------------------------------------------------------------------------------------

/** Rows that a relay keeps for readers that were away for a moment: about 1 kB each in memory, 33 MB. */
export const recentRowsMax = 32_768;

/** The same in bytes, where rows are large: 64 scopes of 128 characters make 25 kB of one. */
export const recentBytesMax = 64 * 1_048_576;

/** Rows of one stretch by what they may take in its frame: well under the frame's own bound of 1 MiB. */
export const stretchBytesMax = 768 * 1_024;

/** Rows of what commits at once that are passed on as one stretch. */
export const stretchRowsMax = 500;

/** Between the beginnings of two reads of the heads: 200 a second at the most, and 5 ms for whoever waits. */
export const headReadPauseMs = 5;

/** One read of the heads, before those who wait for it are told to go elsewhere. */
export const headReadMsMax = 2_000;

/** Lease asks that wait at a relay: 1,000 verifiers ask 4,000 times a second, and a read takes milliseconds. */
export const leaseWaitersMax = 10_000;

/** Rows that are kept while a snapshot is written, as many as its reader keeps: 65,536 of 1 kB. */
export const snapshotTailRowsMax = 65_536;

/** Facts that are handed on before others have their turn. */
export const factsPerTurn = 2_000;

/** Between two calls to all readers to ask for the lease: a hundred waiting callers make one. */
export const wantPauseMs = 5;

/** Verifiers that one relay keeps on its roll: ten times what it is sized for. */
export const rollMax = 10_000;

/** Of those, verifiers of one management key: twice what a relay is sized for, so that nobody's key takes all. */
export const rollOfCredentialMax = 2_500;

/** Verifiers behind a relay that it tells of by name in one ask; with 256 shards they are 350 kB. */
export const downstreamNamedMax = 64;

/** The same, of all relays of one management key, as the relay that they ask keeps them. */
export const namedOfCredentialMax = 4_096;

/**
 * Keyspaces that are kept and told by name of what a verifier may accept: with 66 verifiers in an ask they are 35 kB. Who
 * may read more of them counts as one that may read all, which costs at most the delay of a rotation's finish.
 */
export const reachNamedMax = 16;

/**
 * How often what one verifier may read can be taken from it while a lease may live that was given with it. Widening is
 * free; a credential is narrowed by hand, so more of it is a client that plays with what it asks for.
 */
export const formerReachesMax = 8;

/** How long one stays on the roll that was never answered: well over the time that an answer may take. */
export const unansweredKeptMs = 30_000;

/** Over the lease that one was given, so that whoever waits has seen it end before it goes. */
export const rollSlackMs = 5_000;

/** Between two goes through a full roll for those that may leave it, and when whoever found it full comes again. */
export const rollSweepMs = 1_000;

/** A verifier that has not asked for so long is no longer counted with those that do: twelve asks missed. */
export const activeMsMax = 3_000;

// --- The library. ---------------------------------------------------------------------------------------------

/** Keys that the authority is asked about at once while the feed is stale: an outage must not become its flood. */
export const fallbackInFlightMax = 32;

/** One such ask. */
export const fallbackMsMax = 2_000;

/** A verdict: 64 scopes of 128 characters and the names around them are 12 kB. */
export const verdictReplyBytesMax = 65_536;

/** How often the state of the lease is looked at, for those who listen; a verdict looks for itself. */
export const stateLookMs = 100;

/** Between two writings of the snapshot on disk, less a random part. */
export const snapshotSavePeriodMs = 300_000;

// --- Frames and snapshots. ------------------------------------------------------------------------------------

/** The payload of a frame: 1,000 feed rows of 1 kB, or some 18,000 keys. Ten connections hold 10 MiB at the worst. */
export const frameBytesMax = 1_048_576;

/** What of a snapshot is put together in one turn of the event loop: a thousand keys, 2 ms. */
export const snapshotChunkBytes = 65_536;

/** The largest thing in a batch of facts is a key with a new set of scopes: 64 x 130 + 200 bytes, and as much again. */
export const factEntryBytesMax = 16_384;

/** A signing key in a snapshot, as JSON: an issuer of 256 characters, each perhaps of four bytes, and 500 more. */
export const signingKeyTextMax = 2_048;

/** Whose facts a snapshot holds: an address, a workspace, and keyspaces, or a hash of them. */
export const snapshotIdentityLengthMax = 16_384;

/** The tag of a part of the feed: a digest of 16 characters, and room for one that is longer. */
export const feedViewLengthMax = 64;

// --- Options of a verifier in a service. -----------------------------------------------------------------------

/** What a relay takes of a verifier's name and region. */
export const namesLengthMax = 128;

/** How often a lease may be asked for: faster is a flood, slower than a minute no lease of a minute survives. */
export const leaseAskMsBounds = { min: 20, max: 60_000 } as const;

// --- Signed requests. ---------------------------------------------------------------------------------------

/** By how much the clock of whoever signs may be ahead of the authority's. Behind is what the signature's life is for. */
export const signerClockAheadMsMax = 5_000;

/**
 * Nonces that are remembered at once, some 200 bytes each: 50 MB at the very worst. Over a life of 30 s that is 8,700
 * signed requests a second in one process; whoever needs more signs for less long, or has more processes.
 */
export const noncesMax = 262_144;
/** Of one version of a key: an eighth, 1,000 requests a second over 30 s. */
export const noncesPerKeyMax = 32_768;
