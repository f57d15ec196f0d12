import type { Statement } from '@keyswarm/server/rooms/storage/store';
import type { Params } from '../params.ts';
import type { SimTransaction } from '../sim-transaction.ts';

/** As the driver gives it: what its columns are is for whoever asked. */
export type Row = object;

/** What a statement does. `run` is one step: nothing happens between its parts. */
export interface Handler {
  /** Rows to hold before it runs, in the order in which it takes them. */
  locks?(tx: SimTransaction, given: Params): readonly string[];
  run(tx: SimTransaction, given: Params, nowMs: number, statement: Statement): readonly Row[];
}

export type Handlers = Readonly<Record<string, Handler>>;
