import type { Socket } from 'node:net';
import { socketIdleMs } from '../limits.ts';

/**
 * For work that may take longer than a connection may be silent: it isn't closed for silence meanwhile, and if the
 * client closes it, or the drain of a server that goes down, the work is told and nobody waits for it any longer.
 */
export async function whileConnected<Result>(
  socket: Socket,
  work: (gone: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const gone = new AbortController();
  const abort = () => gone.abort();
  if (socket.destroyed) abort();
  socket.once('close', abort);
  socket.setTimeout(0);
  try {
    return await work(gone.signal);
  } finally {
    socket.off('close', abort);
    socket.setTimeout(socketIdleMs);
  }
}
