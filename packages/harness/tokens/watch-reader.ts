import type { Derived } from './token-house.ts';
import type { TokenReader } from './token-reader.ts';

export interface ReaderWatch {
  readonly reader: TokenReader;
  readonly tokens: readonly Derived[];
  /** When the revocation of its parent was acknowledged; undefined: not yet. */
  readonly ackOf: (id: string) => number | undefined;
  /** Between two rounds over all tokens. */
  readonly pauseMs: number;
  /** Aborted when nobody waits for the outcome any more. */
  readonly signal: AbortSignal;
}

export interface SeenAtReader {
  /** From the ack to the last acceptance, ms, ascending. */
  readonly windowsMs: readonly number[];
  readonly listFetches: number;
  readonly jwksFetches: number;
}

/** The server builds a list no oftener than that, so that a list may be as old when it is fetched. */
const rebuiltWithinMs = 5_000;
/** A round over all tokens, and what a busy machine adds. */
const slackMs = 2_000;

/**
 * Presents all tokens to the reader, round by round, until each is refused. Throws when one is accepted later than the
 * list's `ttl` and the server's pause between two lists allow, or refused before it was revoked, or accepted again.
 */
export async function watchAtReader(watch: ReaderWatch): Promise<SeenAtReader> {
  const { reader, tokens, ackOf } = watch;
  const before = reader.counts();
  const acceptedAtMs = new Map<string, number>();
  const refused = new Set<string>();
  while (refused.size < tokens.length) {
    watch.signal.throwIfAborted();
    for (const { id, token, keyspace } of tokens) {
      const said = await reader.verify(token, keyspace.id);
      const ackMs = ackOf(id);
      if (said !== 'valid' && said !== 'revoked') throw new Error(`the reader says ${said}`);
      if (said === 'revoked') refused.add(id);
      else if (refused.has(id)) throw new Error('the reader accepted a token that it had refused');
      else acceptedAtMs.set(id, performance.now());
      if (said === 'valid' && ackMs !== undefined) expectInTime(performance.now() - ackMs, reader);
    }
    await new Promise((resolve) => setTimeout(resolve, watch.pauseMs));
  }
  const windowsMs = tokens.map(({ id }) =>
    Math.max(0, (acceptedAtMs.get(id) ?? 0) - (ackOf(id) ?? Number.NaN)),
  );
  windowsMs.sort((a, b) => a - b);
  const { listFetches, jwksFetches } = reader.counts();
  return { windowsMs, listFetches: listFetches - before.listFetches, jwksFetches };
}

function expectInTime(sinceAckMs: number, reader: TokenReader): void {
  const boundMs = reader.ttlSeconds() * 1000 + rebuiltWithinMs + slackMs;
  if (sinceAckMs <= boundMs) return;
  throw new Error(
    `the reader accepts a token ${Math.round(sinceAckMs)} ms after the revocation; ttl ${reader.ttlSeconds()} s`,
  );
}
