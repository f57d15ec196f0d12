/*
 * Every bound of the NATS transport that no caller may lift, with the sketch that justifies it.
 */

/** How often each publisher says that it is there: at most a quarter of the strictest lease in use (2 s). */
export const beatMs = 500;

/** Beats in a row that a source may miss before it takes its subscription for deaf and makes it anew. */
export const deafBeats = 3;

/** Beats in a row after which it leaves its server for another; each further move waits twice as long. */
export const moveBeats = 6;

/** Up to this many beats between two moves: half a minute, for the publishers may all be down, not the broker. */
export const moveBeatsMax = 60;

/** A message of the feed. NATS takes 1 MB by default; half of it leaves room for headers and for what grows. */
export const feedMessageBytesMax = 512 * 1024;

/** Messages and bytes that wait for a broker: at 5,000 rows a second one or two seconds; the oldest go first. */
export const bufferedMessagesMax = 10_000;
export const bufferedBytesMax = 16 * 1024 * 1024;

/** Messages whose storing the broker has not acknowledged yet. */
export const unackedMax = 256;

/** How long a message waits to be acknowledged: an election of the stream's leader takes two to five seconds. */
export const ackMsMax = 2_000;

/** How often one message is offered to the stream. What then isn't stored was sent to those who listened. */
export const storeAttemptsMax = 3;

/** Pause before the stream is looked at again when it could not be made or is not as it should be. */
export const streamRetryMs = 5_000;

/** One call of JetStream's API. */
export const apiMsMax = 3_000;

/** Messages that one catch-up takes out of the stream: at 600 bytes each 600 kB; a read of rows fetches the rest. */
export const catchUpMessagesMax = 1_000;

/** One catch-up, all in all. */
export const catchUpMsMax = 3_000;

/** A beat is a few numbers. Longer ones are not ours. */
export const beatBytesMax = 1_024;

/** A lease asked for: a relay names up to a thousand verifiers below it at about 200 bytes each. */
export const leaseAskBytesMax = 256 * 1024;

/** The credential beside it: as much as an `Authorization` header may hold. */
export const credentialLengthMax = 1_024;

/** The answer to it: 256 shards at 16 digits, twice over. */
export const leaseAnswerBytesMax = 16 * 1024;

/** NATS has this long to answer an ask for the lease before the other transport is asked beside it. */
export const hedgeMs = 150;

/** From this age on both are asked at once: three rounds have come to nothing. */
export const agingMs = 750;

/** An answer this fresh is taken without waiting for a fresher one. */
export const freshEnoughMs = 250;

/** Asks that a responder works on at once; past it they are refused, and the asker goes by its other transport. */
export const asksAtOnceMax = 2_000;

/** How long a responder works on one ask. The asker has long gone elsewhere by then. */
export const answerMsMax = 2_000;

/** Rows of one answer: as many as fit `feedMessageBytesMax`, and never more than this. */
export const rowsAnswerMax = 1_000;

/** Keyspaces of which it is remembered whether they may be read here; past it the oldest is learnt anew. */
export const keyspacesKnownMax = 100_000;

/** Rows that were withheld until the other transport has said whose they are. */
export const withheldMax = 1_000;

/** The pause between two tries to reach any server doubles between these, drawn at random below its value. */
export const connectPauseMsMin = 100;
export const connectPauseMsMax = 5_000;

/** One server has this long to greet. A stopped process takes connections and never says a word. */
export const greetMsMax = 2_000;

/** How often a server is asked whether it is there; after the second silence it is left. */
export const pingMs = 1_000;

/** Asks that go both ways once somebody waits to hear of this verifier: two seconds of them. */
export const wantedAsks = 8;

/** One read of rows, by both ways together; its asker comes again. */
export const rowsMsMax = 5_000;

/** Keyspaces that a question for rows may name, and the length of a name or a tag in it. */
export const keyspacesAskedMax = 256;
export const textLengthMax = 128;

/** Views of which the readable keyspaces are remembered: that of the table, and that of the one which is loaded. */
export const viewsKnownMax = 2;
