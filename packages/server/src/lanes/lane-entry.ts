import type { LaneReceipt, LaneWrite } from './lane-port.ts';

/** How one write of a batch came out. An error that is no `Fault` is a bug, and is handed on as it is. */
export type Outcome =
  | { readonly kind: 'done'; readonly receipt: LaneReceipt<unknown> }
  | { readonly kind: 'refused'; readonly error: unknown };

/** A write that waits in a lane, with the hashes of its ticket as the store wants them. */
export interface LaneEntry {
  readonly write: LaneWrite<unknown>;
  readonly ticket: { readonly keyHashHex: string; readonly requestHashHex: string } | undefined;
  /** Monotonic: since when it waits, and when waiting becomes a refusal. */
  readonly queuedAtMs: number;
  readonly deadlineMs: number;
  settle(outcome: Outcome): void;
}
