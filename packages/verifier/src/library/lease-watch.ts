import type { FollowerState } from '../follow/follower-state.ts';
import type { ResidentVerifier } from '../verifier-port.ts';
import type { Listeners, VerifierState } from './verifier-events.ts';

export interface LeaseWatchPorts {
  readonly resident: ResidentVerifier;
  readonly listeners: Listeners;
  /** Do the relays refuse us? */
  readonly isRefused: () => boolean;
}

/**
 * Tells how the verifier is, and tells listeners when that changes. It decides nothing: every verdict looks at the
 * lease of its own keyspace, whatever is told here.
 */
export class LeaseWatch {
  readonly #ports: LeaseWatchPorts;
  #state: VerifierState = 'loading';
  #reason: unknown;
  #isUnreachable = false;
  #wasLeased = false;
  #disconnects = 0;
  #quarantined: readonly number[] = [];

  constructor(ports: LeaseWatchPorts) {
    this.#ports = ports;
  }

  get state(): VerifierState {
    return this.#state;
  }

  /** The error of the last round; undefined when it went well. */
  get reason(): unknown {
    return this.#reason;
  }

  get disconnects(): number {
    return this.#disconnects;
  }

  /** The follower has changed its state. */
  follow(state: FollowerState): void {
    if (state.kind === 'unreachable') {
      this.#reason = state.error;
      if (!this.#isUnreachable) {
        this.#isUnreachable = true;
        this.#disconnects += 1;
        this.#ports.listeners.emit('unreachable', { error: state.error });
      }
    } else if (state.kind === 'following' || state.kind === 'blocked') {
      this.#isUnreachable = false;
      this.#reason = state.kind === 'blocked' ? new Error(blocked(state)) : undefined;
    }
    this.look();
  }

  look(): void {
    if (this.#state === 'closed') return;
    const { resident, listeners } = this.#ports;
    const { quarantined } = resident;
    if (quarantined.join() !== this.#quarantined.join()) {
      this.#quarantined = quarantined;
      listeners.emit('quarantined', { shards: quarantined, reason: this.#reason });
    }
    this.#enter(this.#now());
  }

  close(): void {
    this.#enter('closed');
  }

  #now(): VerifierState {
    const { resident, isRefused } = this.#ports;
    if (this.#isUnreachable && isRefused()) return 'refused';
    const { leaseAgeMs } = resident.stats();
    // Between its snapshot and its first lease a verifier isn't stale yet, and nobody is to be woken for it.
    this.#wasLeased ||= Number.isFinite(leaseAgeMs);
    if (!this.#wasLeased) return 'loading';
    const { minMs, maxMs } = resident.leaseBounds();
    if (leaseAgeMs > maxMs) return 'stale';
    return leaseAgeMs > minMs / 2 ? 'aging' : 'fresh';
  }

  #enter(state: VerifierState): void {
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    const { leaseAgeMs } = this.#ports.resident.stats();
    this.#ports.listeners.emit(state, {
      state,
      before,
      leaseAgeMs: Number.isFinite(leaseAgeMs) ? leaseAgeMs : undefined,
      reason: this.#reason,
    });
  }
}

function blocked({ shard, seq, reason }: Extract<FollowerState, { readonly kind: 'blocked' }>): string {
  return `row ${seq} of shard ${shard} can not be read: ${reason}`;
}
