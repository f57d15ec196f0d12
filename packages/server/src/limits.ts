import { commitMsMax } from '@keyswarm/core';

/*
 * Every bound of the server that no caller and no setting may lift, with the sketch that justifies it.
 */

// --- Lanes: writes that wait for their batch, one lane a shard. -------------------------------------------

/** Rows of one transaction. At 500 the cost of BEGIN, head and COMMIT is 1/500 a row; more adds only latency. */
export const laneBatchWeightMax = 500;

/**
 * Rows that wait in one lane. 16 lanes x 4,000 rows x about 2 kB = 128 MB at the very worst; at 5,000 rows a
 * second a lane it is under a second of work, so what is let in is not kept waiting to its deadline.
 */
export const laneQueueWeightMax = 4_000;

/** Lanes that are in a transaction at once. Fewer make larger batches, more use more of the engine's cores. */
export const laneTransactionsMax = 4;

/**
 * How many more may be when a lane has waited so long for its turn. A transaction is ten round trips, and each waits for a turn of
 * this process's event loop: while that is full of verifications (40 ms a turn) a transaction takes half a second, the engine
 * has nothing to do, and four at once are eight a second. With these it is three times as many.
 */
export const laneExtraTransactionsMax = 8;
export const laneOverdueMs = 250;

/** How long a write may wait for its batch to begin. Callers give up at about this time anyway. */
export const laneWaitMsMax = 5_000;

/** One transaction, all its statements and COMMIT: what the core counts on where a bound runs from a commit. */
export const laneTransactionMsMax = commitMsMax;

/** Looking for what became of a COMMIT whose answer was lost: about one restart of the engine. */
export const laneOutcomeMsMax = 10_000;

/** Pause between two such looks. */
export const laneOutcomePauseMs = 100;

/** Runs of one batch that loses races for rows before its writes are tried one by one. */
export const laneAttemptsMax = 4;

/** Told to a caller who meets a full lane: about the time that a full lane takes to drain. */
export const laneRetryAfterMs = 1_000;

/** How long the reply to a request with an Idempotency-Key is kept. */
export const idempotencyKeptMs = 24 * 3_600_000;

// --- The feed: how a follower reads it, and how long it is kept. -------------------------------------------

/** Rows of one read: about 600 bytes each, 600 kB; decoding them holds the event loop for under 10 ms. */
export const feedPageRows = 1_000;

/** Keys (or owners, or keyspaces) of one snapshot page: 5,000 x 250 bytes of text = 1.2 MB. */
export const snapshotPageRows = 5_000;

/** Whole days of feed rows that are kept. A follower that was away for longer takes a snapshot. */
export const feedRetentionDays = 3;

/** Days after today whose partition is made ahead, so that a server may be down over a weekend's midnight. */
export const feedDaysAhead = 2;

export const upkeepPeriodMs = 3_600_000;

/** A change of partitions waits this long for its lock; every commit waits behind it, so it gives up soon. */
export const upkeepLockMsMax = 2_000;

/** Expired replies that one statement removes, and the statements of one shard in one run. */
export const sweepRowsMax = 1_000;
export const sweepRoundsMax = 100;

/** Rows of one shard that one page of events may look through: 16 shards x 500 = 8,000 rows at the most. */
export const eventScanRowsMax = 500;

/** Audit records of one page of a check: 1,000 x 500 bytes = 500 kB. */
export const auditPageRows = 1_000;

// --- The door: what one request, one connection or one caller may take. -----------------------------------

/** A collector that takes longer is given up for this time; nothing waits for it. */
export const otlpExportMsMax = 5_000;

/** What was counted last is sent before the process ends, if the collector takes it within this. */
export const otlpFlushMsMax = 2_000;

/** Spans that wait for the collector: 2,048 x 1 kB = 2 MB. What comes beyond is dropped. */
export const otlpSpansWaitingMax = 2_048;

/**
 * While a write has waited this long for its batch, no further mutation is let in: it would be answered after two
 * batches of that length at the earliest, and a second is what callers wait. Measured on the embedded store at twice
 * its capacity, with a bound on numbers alone: 16 % of the answers came after a second, and 0.73 of the goodput was left.
 */
export const writeWaitMsMax = 300;

/** Below this many a store that pauses is waited for: a pause is over soon, and few are no overload. */
export const crowdOfMutationsMin = 128;

/**
 * Connections that the kernel keeps until this process takes them. Node's own 511 is full within a tenth of a second
 * when a fleet comes at once, and whoever finds it full tries again after a whole second, then after three: measured
 * as a p99 of 1.1 and 2.2 s at a load that was answered within 40 ms otherwise. Linux caps it at `somaxconn`, 4,096.
 */
export const acceptBacklogMax = 4_096;

/** Of each of several listening sockets of a port: who comes is not dealt out evenly. */
export const doorBacklogMin = 512;

/** The head of a request. The largest honest one has a 4 kB cursor in its URL and a few short headers. */
export const headerBytesMax = 16 * 1024;

/** `Authorization`: "Bearer " and the longest token there is, with room for odd spacing. */
export const authorizationLengthMax = 4_608;

/** An X-Request-Id of the caller's own that is taken over into logs and problems. */
export const requestIdLengthMax = 64;

/** Told to whoever is turned away at the door: long enough to spread a stampede, short enough to be kept. */
export const shedRetryAfterMs = 1_000;

/** Told with `stale`: the lease is renewed every 250 ms, so a verifier that recovers does so within one second. */
export const staleRetryAfterMs = 1_000;

/** How old an answer of the store may be for `/readyz`: a prober a second costs the store one query a second. */
export const readinessCacheMs = 500;

/** How long `/readyz` waits for the store: under the one second that a prober gives it by default. */
export const readinessTimeoutMs = 800;

/** Keyspaces whose name and prefix are remembered (neither ever changes): 10,000 x 300 bytes = 3 MB. */
export const keyspaceEntriesMax = 10_000;

/** Pages of keys that one list request may read to leave out what its caller may not see. */
export const listPagesMax = 5;

/** Requests for approval that one read of the store brings: 500 x 1 kB in the usual case, 20 MB at the very worst. */
export const approvalPageRows = 500;

/** Reads that one list or one filter may cost: more than the open requests that a keyspace may have. */
export const approvalPagesMax = 25;

/** Requests that one call decides; what one body can name of them as well. */
export const approvalsDecidedMax = 1_000;

/** How often requests that are over are written down. Nobody waits for it; it tells those who follow the events. */
export const approvalSweepSeconds = 60;

/** Requests that one sweep ends at most: what every keyspace of a small house has, ended in some seconds. */
export const approvalsSweptMax = 10_000;

/** Requests that one write of the sweep ends. */
export const approvalsExpiredPerWrite = 200;

/** Issuers of a management key that are followed, one from the other; a house has two or three. */
export const issuersFollowedMax = 32;

/** A socket on which nothing has moved for this long is closed: a reader that stopped reading holds its reply. */
export const socketIdleMs = 120_000;

/** How often Node looks for heads and bodies that are overdue. */
export const timeoutCheckMs = 1_000;

/** What connections are left after the drain have this long to take what was sent to them. */
export const drainLingerMs = 250;

/** Management keys whose requests are counted apart: those under way (a few thousand) and room; 20,000 x 100 bytes. */
export const sharesMax = 20_000;

/** Requests of one holder that are under way at once: a fleet that shares one key, each of whose members looks after it. */
export const holderInFlightMax = 32;

/** A body that came within this time of its head came at once: the management key needn't be asked for again. */
export const bodyAtOnceMs = 50;

/** How deep JSON may nest: the deepest honest body has four levels. */
export const jsonDepthMax = 32;

/**
 * Values, members and brackets of one body. The largest honest one is 1,000 keys of 64 scopes and 32 metadata
 * entries, about 150,000; a flat 8 MB of `0,0,0…` would be four million and hold the event loop for seconds.
 */
export const jsonTokensMax = 250_000;

/** Bodies up to this length are parsed without being counted first: they can't hold much. */
export const jsonUncountedBytesMax = 4096;

/** Bodies that take the short way of verification: the largest honest one has 64 scopes of 128 characters. */
export const verifyLaneBodyBytesMax = 16 * 1024;

// --- Workers: processes that share one port. ---------------------------------------------------------------

/** A worker that dies before this has died young: a start takes a second or two, a fault in it shows at once. */
export const workerGrownMs = 10_000;

/** Deaths of one worker in a row, each young, after which the whole ends: with the pauses below, about two seconds. */
export const workerYoungDeathsMax = 5;

/** The pause before a worker is started again doubles between these two, and is drawn from its upper half. */
export const workerPauseMsMin = 100;
export const workerPauseMsMax = 10_000;

/** What a worker may take beyond its drain to end: its lanes finish a transaction and look for its outcome. */
export const workerEndMsMax = laneTransactionMsMax + laneOutcomeMsMax + 5_000;

/** How long a start that was told to stop may take to notice; then the process ends as it stands. */
export const startAbandonMsMax = 5_000;

/**
 * A worker tells the others of its commits, and looks after being told, at most this often. Without a word they look
 * every quarter of a second; at this pace a busy worker costs each other one fifty small reads a second.
 */
export const newsPauseMs = 20;

/** How long the supervisor waits for the metrics of all workers; a scraper gives ten seconds by default. */
export const workerReportMsMax = 1_000;

/** How long a worker waits for the supervisor's answer, which may have waited as long as it may. */
export const scrapeMsMax = 2 * workerReportMsMax;

/** Turns of the event loop in which a server that is about to close takes connections that wait: the backlog and some. */
export const lastAcceptTurnsMax = 1_024;

// --- The verify-only node and its gateways. -------------------------------------------------------------------

/** A lease that is older is not being renewed, and whoever looks is told why: twelve asks missed. */
export const leaseOverdueMs = 3_000;

/** A node's own credential: the longest key string there is, with room. */
export const credentialLengthMax = 1_024;

/** What a proxy asks forward-auth, in bytes: a keyspace and sixteen scopes, and the address it was asked for itself. */
export const forwardAuthQueryBytesMax = 12_288;

/** Scopes that one access point may require of a key: as many as a verification may. */
export const forwardAuthScopesMax = 64;

/** Scopes that forward-auth tells of: nginx takes 4 kB for the whole head of an answer, unless it is told otherwise. */
export const forwardAuthHeaderBytesMax = 2_048;

// --- The relay: verifiers that follow this server. -------------------------------------------------------------

/** How long a registration holds, from before it was sent to the store: SPEC.md of the verifier, rule 11. */
export const registrationMsMax = 1_000;

/** How often it is renewed: one small write, in time for the one after it to be late. */
export const registryFlushMs = 600;

/** The same while a server waits for what this one knows. */
export const registryWantedFlushMs = 50;

/** How long a lease ask waits for its asker to be registered, before it is told `stale`. */
export const registrationWaitMsMax = 1_500;

/** How often the row of a verifier is written again, for those who look, and how many of them in one write. */
export const registryRefreshMs = 10_000;
export const registryRefreshRowsMax = 500;

/** Rows of one read of the registry: 64 relays of 300 verifiers; with more nothing is claimed early. */
export const registryRowsMax = 20_000;

/** After so long without a write, what the store has of this process may have been swept, and is written anew. */
export const registryDoubtMs = 600_000;

/** How long the rows of the dead are kept for those who look, and how often they are swept. */
export const registryKeptMs = 3_600_000;
export const registrySweepMs = 600_000;

/** Callers that wait for a change to be effective everywhere. Each holds a request for up to its bound. */
export const effectWaitersMax = 1_000;

/** Between two reads of the registry while somebody waits, one for all of them. */
export const effectPollMs = 50;

/** How often the other relays are asked to write more often, and how long one is taken for alive that has not written. */
export const effectWantMs = 1_000;
export const relayAliveMs = 5_000;

/** Verifiers that lag, as one answer names them. */
export const laggardsMax = 100;

/** Snapshots that are written at once: each reads the whole table, on the loop that verifies. */
export const snapshotsAtOnceMax = 4;

/** Told to whoever comes when that many are under way: one takes seconds; the half of it is drawn at random. */
export const snapshotRetryAfterMs = 4_000;

/** Streams at once: one a verifier, and room for those that have not noticed yet that theirs has ended. */
export const streamsMax = 4_000;

/** Reads of rows at once: 64 x 1,000 rows x 600 bytes are 40 MB; all that is recent is in memory and takes no time. */
export const rowReadsAtOnceMax = 64;

/** Lease asks under way at once: 4 a second from each of 1,000 verifiers, of some 10 ms, are 40. */
export const leaseAsksInFlightMax = 5_000;

/** For how long a keyspace that a management key names in advance is taken for not made yet, in each lease ask. */
export const missedKeyspaceMs = 1_000;

/** Names that are remembered as missing; past that each is looked for. */
export const missedKeyspacesMax = 10_000;

/** How often the management key of a stream is looked at again. */
export const streamRecheckMs = 1_000;

/** Names of statements that are counted apart; there are some forty. */
export const statementNamesMax = 128;

/** Before a server at a broker listens again to the wishes of its relay, which has just loaded a new table. */
export const wishesPauseMs = 250;

// --- Campaigns: bulk rotations and revocations. ----------------------------------------------------------------

/** Campaigns of one workspace that have not ended; each is a few statements a second while it runs. */
export const campaignsActiveMax = 32;

/** Campaigns of all workspaces that one look finds: their records are a few hundred bytes, and 30 kB at the worst. */
export const campaignsAtOnceMax = 1_000;

/** Keyspaces of one campaign: their ids are kept with it, 1,000 x 30 bytes. */
export const campaignKeyspacesMax = 1_000;

/** Scopes of a selector; each makes the filter of every key that is looked at longer. */
export const campaignScopesMax = 8;

/** What a selector matches is counted so far: about a second of an index scan. Beyond it the count is "at least". */
export const campaignCountMax = 1_000_000;

/** Keys a second, if nothing is said, and the most that may be asked for: what the lanes of one process write. */
export const campaignPaceDefault = 500;
export const campaignPaceMax = 20_000;

export const campaignVerifyP99MsDefault = 50;
export const campaignVerifyP99MsMax = 10_000;
/** One verification in a thousand. */
export const campaignErrorBudgetDefault = 0.001;

/** How long each sample is watched. */
export const campaignHoldSecondsDefault = 60;

/** Over how long holders are spread, and how long after that the deadline lies if none is given. */
export const campaignWindowSecondsDefault = 3_600;
export const campaignWaitSecondsDefault = 7 * 86_400;

/** Keys of one chunk: one transaction of a lane, in which everybody else's writes to that shard wait for it. */
export const campaignChunkKeysMax = 500;

/** A chunk holds at most what the pace allows in this time, so that a slow campaign makes short transactions. */
export const campaignChunkMs = 200;

/** Chunks of one campaign that are written at once, each in a shard of its own. */
export const campaignChunksAtOnceMax = 4;

/** How often a server looks for campaigns while it works on none: two reads of an index that is mostly empty. */
export const campaignLookMs = 1_000;

/** How often it notes how far its own have come: one small write each. */
export const campaignNoteMs = 400;

/** How long a campaign stays with the process that works on it after that was last heard of: 25 missed notes. */
export const campaignClaimMs = 10_000;

/** The share of a process's time that the counting of one campaign's holders may take. */
export const campaignCountShare = 0.05;
// --- Uses of rotating keys. -----------------------------------------------------------------------------------

/** Between two writes of the uses that were told: with the second and a quarter at the verifier, evidence is 3 s old. */
export const usesFlushMs = 1_000;

/** Versions whose uses wait to be written: 65,536 x 250 bytes = 16 MB; half a minute of ten verifiers at their bound. */
export const usesWaitingMax = 65_536;

/** Rows of one statement: three index look-ups each, some 20 ms. */
export const usesWrittenAtOnceMax = 1_000;

/** A verifier that has not been heard of for longer may have accepted what it has not told. Over three of its asks' times. */
export const useHeardMs = 5_000;

/** By how much older than its relay's row the last ask of an active verifier may be (activeMsMax of the verifier). */
export const verifierActiveMs = 3_000;

// --- Workflows: jobs in the store. ----------------------------------------------------------------------------

/** How often a worker without work looks for jobs of other processes: a dozen kinds are about one read a second. */
export const bossPollSeconds = 15;

/** How often claims that are not kept alive are looked for: what bounds, with the next two, a killed worker's delay. */
export const bossSuperviseSeconds = 15;

/** A claim is renewed twice in this time; it is the least that pg-boss takes. */
export const jobHeartbeatSeconds = 10;

/** One attempt at a job that sets no bound of its own. */
export const jobTimeoutSecondsDefault = 300;

/** With a delay that doubles from 5 seconds this is about an hour of trying. */
export const jobRetriesDefault = 9;
export const jobRetryDelaySecondsDefault = 5;

export const jobConcurrencyDefault = 2;

/** Jobs that are done, for those who look: a day of those with data, a few runs of the periodic ones. */
export const jobKeptSeconds = 86_400;
export const periodicKeptSeconds = 900;

/** How long a sender waits for the queues of a process that has just started. */
export const jobSendWaitMsMax = 2_000;

/** Making its tables takes pg-boss a quarter of a second, and minutes where it builds an index anew. */
export const bossStatementMsMax = 300_000;

/** Between two starts that failed; it doubles. */
export const bossStartPauseMsMin = 1_000;
export const bossStartPauseMsMax = 30_000;

/** A store that is down is told of once in this time, not at every poll. */
export const bossQuietMs = 30_000;

// --- Tokens and the keys that sign them. -----------------------------------------------------------------------

/** Signatures that are handed to Node's threads at once: two of its four stay free for files and names. */
export const signaturesInFlightMax = 2;

/** Tries of a change of signing keys that other servers are in the way of. */
export const signingAttemptsMax = 5;

/** Private keys that are held open: a few a workspace, of 300 bytes. */
export const signingKeysOpenMax = 1_000;

/** Signing keys that one list shows, and one page of a change of the master key takes. */
export const signingKeysListedMax = 200;

/** Between two looks at whether signing keys are old or over: they live for days, and a gate that was shut is tried again. */
export const signingSweepSeconds = 3_600;

/** How far ahead of its tokens a signing key's record is written: once an hour, and not once a token. */
export const tokensUntilStepMs = 3_600_000;

/** For how long others may keep our set of public keys: the time for which a new key has to wait at the least. */
export const jwksMaxAgeMs = 300_000;

/** What a change may take beyond leases and caches, and how long verifiers are waited for before one is refused. */
export const signingPropagationMs = 2_000;

/** Places of one status list: 2^20 of two bits are 262 kB, and some 30 kB compressed with a hundredth revoked. */
export const statusListEntries = 2 ** 20;

/** Places that a server takes at once: one write a thousand tokens, and as many are lost when it dies. */
export const statusBlockSize = 1_024;

/** Keyspaces of which places, and lists of which the last token, are held: 300 bytes and 50 kB each. */
export const statusListsKnownMax = 1_000;

/** Between two builds of one list, however often it changes and is asked for. */
export const statusRefreshMs = 5_000;

/** Builds at once: each reads its keyspace's refused keys, and compresses on another thread. */
export const statusBuildsMax = 4;

/** How long a reader may go by a list before it asks again, and how long it is worth anything at all. */
export const statusTtlSeconds = 60;
export const statusExpirySeconds = 86_400;

/** A form of OAuth: two tokens of 4 kB and what stands around them. */
export const formBytesMax = 16 * 1024;
export const formFieldsMax = 32;

/**
 * How long the body of a form may take. Anyone may begin one, and until it is there it holds a connection and its bytes,
 * and no place among the requests under way: 8,192 connections hold 130 MB at the most, as much as of heads.
 */
export const formWaitMs = 2_000;

// --- Deliveries: events to webhooks. ---------------------------------------------------------------------------

/** Webhooks of one workspace: each reads the feed for itself. */
export const webhooksPerWorkspaceMax = 100;

/** Active webhooks that one store serves; past that the last ones are not served, and the log says so. */
export const webhooksServedMax = 2_000;

/** Pairs of webhook and shard that one process serves at once; each holds one page. */
export const pumpsMax = 64;

/** Of these, what a workspace has at the least: a consumer that takes its time holds up those of its own workspace alone. */
export const pumpsPerWorkspaceMin = 8;

/** Rows that one page looks through: 500 x about 1 kB, times the pumps, is 32 MB at the worst. */
export const deliveryPageRows = 500;

/** Requests of one pair under way: with 4 shards and a consumer 10 ms away, 6,400 events a second. */
export const deliveriesAtOnceMax = 16;

/** Connections to one consumer. */
export const deliverySocketsMax = 128;

/** Names of consumers that are looked up at once: each holds one of Node's four threads until somebody else's server answers. */
export const namesAtOnceMax = 2;

/** A kept connection is given up before the usual 5 s at which servers close one. */
export const deliverySocketIdleMs = 4_000;

/** From the first byte sent to the head of the answer. */
export const deliveryTimeoutMs = 10_000;

/** The answer's body is not needed: read to keep the connection, and no more than this, no longer than this. */
export const deliveryReplyBytesMax = 16_384;
export const deliveryReplyMsMax = 2_000;

/** A `Retry-After` of the consumer counts up to this. */
export const retryAfterHonouredMsMax = 3_600_000;

/** 1 s, 4 s, 16 s … up to an hour: ten attempts are some three and a half hours. Then the event is a dead letter. */
export const deliveryAttemptsMax = 10;
export const deliveryRetryMsMin = 1_000;
export const deliveryRetryMsMax = 3_600_000;

/** A webhook that has taken nothing for two days is disabled: a day before the feed no longer has what it missed. */
export const webhookFailingMsMax = 2 * 86_400_000;

/** How long a claim on a pair holds without being renewed; it is renewed three times in that. */
export const deliveryClaimMs = 20_000;

/** How often a process looks for what others left, for retries that are due, and for webhooks made elsewhere. */
export const deliveryPollMs = 3_000;
export const webhookRefreshMs = 15_000;

/** Commits that come one after the other are looked after together. */
export const deliveryWakeMs = 50;

/** How often what waits is counted, for the metrics. */
export const backlogReadMs = 30_000;
/** Keys that periodic work changes by one write: half a batch, so that a caller's write fits beside it. */
export const keysPerSweepMax = 250;

/** Keys that a walk looks at by one read: 2,000 rows of 60 bytes, some 10 ms. */
export const keysPerWalkMax = 2_000;

/** How often rotations that have settled are ended: a settle time is a minute at the least. */
export const settleSweepSeconds = 60;

/** How often keys are walked for those whose secret is due: a rule is a matter of days. */
export const renewalSweepSeconds = 900;

/** How often keys that end are told of; a key that is expired is refused at its instant, whether or not it is told. */
export const expirySweepSeconds = 60;

/** How long after its end a key is told of: a write that was decided before that has committed by then. */
export const expirySweepLagMs = laneWaitMsMax + laneTransactionMsMax;

// --- Streams of events: server-sent events for whoever watches. --------------------------------------------------

/** Each holds a page of 200 events of some 500 bytes at the most: 1,000 are 100 MB at the very worst. */
export const eventStreamsMax = 1_000;

/** How often a stream looks whether there is more, in memory. */
export const eventLookMs = 100;

/** How long it is silent before it says where it stands: under the minute after which proxies cut a connection. */
export const eventHeartbeatMs = 15_000;

/** How long a reader may take for what was sent before it is cut off. */
export const eventReaderMsMax = 30_000;

/** Before a store that was away is asked again. */
export const eventOutageMs = 1_000;

// --- The live picture: server-sent events, and the page that shows them. --------------------------------------

/** Between two frames: what a person can follow. */
export const liveFramePeriodMs = 1_000;

/** Stretches that quantiles are taken over: ten seconds. */
export const liveWindowFrames = 10;

/** Who may watch at once, and by one management key: a frame is some kB a second to each. */
export const liveWatchersMax = 256;
export const liveWatchersOfOneMax = 32;

/** Bytes that may wait in the socket of a watcher who does not take them; some dozen frames. */
export const liveBufferedBytesMax = 1024 * 1024;

/** Keyspaces change seldom: their leases are read again this often while somebody watches. */
export const liveKeyspacesRereadMs = 5_000;

/** Revocations of a workspace that are shown, for how long one is followed, and verifiers that each is looked for at. */
export const liveEndingsKept = 16;
export const liveEndingWatchMs = 60_000;
export const liveVerifiersTracked = 256;

/** Of revocations in bulk twenty a second are followed: each of them looks through the roll once. */
export const liveFollowPauseMs = 50;

/** Verifiers are asked to tell where they stand after a revocation at most this seldom, however many they are. */
export const liveWantPauseMsMax = 2_000;

/** Of a file of the page; the largest is some 100 kB. */
export const consoleFileBytesMax = 4 * 1024 * 1024;
