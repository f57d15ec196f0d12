import { isAccepted, type Verdict, VerifyConnection, type VerifyTarget } from './verify-connection.ts';

/*
 * One revocation, watched at every verifier: the key is presented again and again from before it is revoked, until
 * it has been refused for some time after. What counts is the last acceptance after the acknowledgement came.
 */

export interface Watched {
  /** When the reply to the revoke came, ms of the harness's monotonic clock: no sooner than the acknowledgement. */
  readonly ackAtMs: number;
  /** Of each verifier. */
  readonly seen: readonly Seen[];
}

export interface Seen {
  /** When the last acceptance was received, after the ack; -Infinity: none. */
  readonly lastAcceptedMs: number;
  /** When it had been sent. */
  readonly lastAcceptedSentMs: number;
  /** The first answer after the ack that was neither an acceptance nor a lost connection. */
  readonly firstRefusal: string;
  /** Refused as revoked, and accepted after that. */
  readonly undone: number;
  readonly unavailable: number;
}

export interface WatchOptions {
  readonly targets: readonly VerifyTarget[];
  readonly key: string;
  readonly keyspace: string;
  /** Sends the revoke and resolves when its reply is here; rejects when there was none. */
  readonly revoke: () => Promise<void>;
  /** Between two presentations of the key at one verifier. */
  readonly pauseMs: number;
  /** How long after the ack a verifier is asked at least. */
  readonly watchMs: number;
  /** Refusals in a row that end the watch of a verifier before that; Infinity: it is watched to the end. */
  readonly refusalsEnough: number;
}

export async function watchRevocation(options: WatchOptions): Promise<Watched> {
  const ack: Ack = { atMs: Number.POSITIVE_INFINITY, failed: false };
  const watches = options.targets.map((target) => watchAt(target, options, ack));
  try {
    await options.revoke();
    ack.atMs = performance.now();
  } catch (error) {
    ack.failed = true;
    await Promise.all(watches);
    throw error;
  }
  return { ackAtMs: ack.atMs, seen: await Promise.all(watches) };
}

interface Ack {
  atMs: number;
  failed: boolean;
}

async function watchAt(target: VerifyTarget, options: WatchOptions, ack: Ack): Promise<Seen> {
  const connection = new VerifyConnection(target);
  const seen = {
    lastAcceptedMs: Number.NEGATIVE_INFINITY,
    lastAcceptedSentMs: Number.NEGATIVE_INFINITY,
    firstRefusal: '',
    undone: 0,
    unavailable: 0,
  };
  let revokedInARow = 0;
  let wasRevoked = false;
  while (!ack.failed) {
    const verdict = await connection.ask(options.key, options.keyspace);
    note(verdict);
    const watchedMs = performance.now() - ack.atMs;
    if (watchedMs > options.watchMs || revokedInARow >= options.refusalsEnough) break;
    await new Promise((resolve) => setTimeout(resolve, options.pauseMs));
  }
  connection.close();
  return seen;

  function note(verdict: Verdict): void {
    if (verdict.receivedAtMs <= ack.atMs) return;
    revokedInARow = verdict.code === 'revoked' ? revokedInARow + 1 : 0;
    if (isAccepted(verdict)) {
      seen.lastAcceptedMs = verdict.receivedAtMs;
      seen.lastAcceptedSentMs = verdict.sentAtMs;
      if (wasRevoked) seen.undone += 1;
      return;
    }
    if (verdict.status !== 200) seen.unavailable += 1;
    if (seen.firstRefusal === '' && verdict.status !== 0) seen.firstRefusal = verdict.code;
    wasRevoked ||= verdict.code === 'revoked';
  }
}
