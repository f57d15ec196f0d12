import type { AddressInfo } from 'node:net';
import { assert } from '@keyswarm/core';
import type { FastifyInstance } from 'fastify';
import { drainLingerMs } from '../limits.ts';
import { within } from '../runtime/within.ts';
import type { Admission } from './admission.ts';
import type { Doors } from './doors.ts';

/** Lets nobody else in, finishes what is under way for as long as it may take, and closes what is left. */
export async function drainWire(
  app: FastifyInstance,
  {
    admission,
    doors,
  }: { readonly admission: Pick<Admission, 'drain'>; readonly doors: Pick<Doors, 'close'> },
  drainTimeoutMs: number,
): Promise<void> {
  const emptied = admission.drain();
  const closed = Promise.all([doors.close(), app.close()]);
  await within(drainTimeoutMs, emptied);
  app.server.closeIdleConnections();
  // A connection on which nothing was ever asked is not idle to Node, and would be waited for without end. What
  // was answered has a moment to reach its reader.
  await within(drainLingerMs, closed);
  app.server.closeAllConnections();
  await closed;
}

/** `http://host:port`, with the port that was really taken. */
export function urlOfWire(host: string, address: AddressInfo | string | null): string {
  assert(address !== null && typeof address === 'object', 'a server that listens has a port');
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
