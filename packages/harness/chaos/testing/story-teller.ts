import type { Evidence, FinalKey } from '../checker/evidence.ts';
import type { Invocation, Operation, Settlement } from '../history/operation.ts';

/* Histories written by hand, for tests of the checker: an operation a line, with the instants at which it began and was answered. */

export const boundMs = 2_020;
export const wallOriginMs = 1_800_000_000_000;

type Half = Partial<Invocation> & Partial<Settlement>;

export class StoryTeller {
  readonly #operations: Operation[] = [];

  op(kind: Operation['kind'], [invokedMs, settledMs]: readonly [number, number], half: Half = {}): this {
    this.#operations.push({
      id: this.#operations.length,
      kind,
      key: 1,
      keyspace: 'strict',
      at: 'node-1',
      invokedMs,
      invokedWallMs: wallOriginMs + invokedMs,
      settledMs,
      outcome: settledMs === Number.POSITIVE_INFINITY ? 'unknown' : 'ok',
      status: settledMs === Number.POSITIVE_INFINITY ? 0 : 200,
      code: '',
      ...half,
    });
    return this;
  }

  issue(half: Half = {}): this {
    return this.op('issue', [0, 10], {
      at: 'server-1',
      idempotencyKey: `issue-${half.key ?? 1}`,
      result: { keyId: `key_${half.key ?? 1}`, version: 1, secretDigest: 'a', seq: '1.0.1' },
      ...half,
    });
  }

  verify(times: readonly [number, number], code: string, half: Half = {}): this {
    return this.op('verify', times, { code, version: 1, ...half });
  }

  write(kind: Operation['kind'], times: readonly [number, number], half: Half = {}): this {
    return this.op(kind, times, { at: 'server-1', idempotencyKey: `${kind}-${times[0]}`, ...half });
  }

  evidence(more: Partial<Evidence> = {}): Evidence {
    return {
      operations: this.#operations,
      faults: [],
      boundsMs: new Map([['strict', boundMs]]),
      finalKeys: [],
      feed: [],
      events: [],
      audit: [],
      secrets: { bytes: 0, places: 0, found: [] },
      ...more,
    };
  }
}

/** A key as it stands in the store at the end. */
export function finalKey(state: string, versions = 1, key = 1): FinalKey {
  return {
    keyId: `key_${key}`,
    name: `chaos ${key}`,
    state,
    versions: Array.from({ length: versions }, (_, at) => ({
      version: at + 1,
      state: at + 1 === versions ? 'active' : at + 2 === versions ? 'grace' : 'retired',
    })),
  };
}
