import { Fault } from '@keyswarm/core';

/**
 * What the work comes to, or the fault that refuses it, to be told later: of one item of a bulk, or in the write, where a
 * request that is sent again has its first reply before it. The store's own failure is that of the whole request.
 */
export async function orFault<Result>(work: Promise<Result>): Promise<Result | Fault> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Fault && !error.retryable) return error;
    throw error;
  }
}
