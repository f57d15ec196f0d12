import type { ServerConfig } from '../config/config-schema.ts';
import type { MetricFamily } from '../metrics/merge-families.ts';
import type { CarriedError } from './carried-error.ts';

/*
 * What the supervisor and a worker say to each other. Both run the same code of the same build, started by each
 * other, so that a message is typed and not checked.
 */

export type ToWorker =
  /** The first message: begin. */
  | {
      readonly kind: 'start';
      readonly config: ServerConfig;
      readonly place: WorkerPlace;
    }
  /** Every worker has listened: from now on this one may call itself ready. */
  | { readonly kind: 'open' }
  | { readonly kind: 'drain' }
  /** Another worker has committed something. */
  | { readonly kind: 'news' }
  /** Asks for the metrics of this worker. */
  | { readonly kind: 'report'; readonly round: number }
  /** The answer to `scrape`. */
  | { readonly kind: 'scraped'; readonly ask: number; readonly families: readonly MetricFamily[] };

export type FromWorker =
  /** The port is open. `url` names the port that was really taken. */
  | { readonly kind: 'listening'; readonly url: string }
  /** The start failed; the process ends after this. */
  | { readonly kind: 'failed'; readonly error: CarriedError }
  /** It has committed something that the others will want to know. */
  | { readonly kind: 'news' }
  /** Asks for the metrics of all workers. */
  | { readonly kind: 'scrape'; readonly ask: number }
  | { readonly kind: 'report'; readonly round: number; readonly families: readonly MetricFamily[] };

/** Where a worker stands among the others. */
export interface WorkerPlace {
  /** From 1. A worker that is restarted keeps it. */
  readonly worker: number;
  readonly workers: number;
  /** No other worker is there, so that whoever listens on the port is a stranger. */
  readonly isAlone: boolean;
  /** Every worker has listened once. */
  readonly isOpen: boolean;
}
