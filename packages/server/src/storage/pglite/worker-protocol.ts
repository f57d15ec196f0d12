/** What the worker is started with. */
export interface PgliteWorkerData {
  /** The data folder; null: everything in memory, gone with the process. */
  readonly dataDir: string | null;
}

/** Whole messages of PostgreSQL's protocol, up to and with one that asks for an answer. */
export interface Frames {
  readonly kind: 'frames';
  /** Which connection they belong to. Numbers rise; a new one means that the one before is over. */
  readonly link: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type ToWorker = Frames | { readonly kind: 'close' };

export type FromWorker =
  | Frames
  | { readonly kind: 'ready' }
  /** The engine could not be opened. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' };
