/**
 * The wall clock of the store, which is one for all servers, Unix ms. What ends or is taken away because time has passed is
 * decided by it: the clock of one server may be ahead, and then it would end things for everybody. Rejects as the
 * store does.
 */
export interface StoreClock {
  nowMs(): Promise<number>;
}
