import type { Server } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { lastAcceptTurnsMax } from '../limits.ts';

/**
 * Takes the connections that the kernel has already given to this listener, so that they are answered. Closing the
 * listener resets those that wait in its queue, though another worker of the same port could have had them, and
 * Node takes one a turn of its event loop. One that comes between the last look and the closing is still lost:
 * only the kernel could move it (`net.ipv4.tcp_migrate_req=1`).
 */
export async function acceptWaiting(server: Server): Promise<void> {
  let accepted = 0;
  const count = (): void => {
    accepted += 1;
  };
  server.on('connection', count);
  let quietTurns = 0;
  for (let turn = 0; turn < lastAcceptTurnsMax && quietTurns < quietTurnsEnough; turn += 1) {
    const before = accepted;
    await setImmediate();
    quietTurns = accepted === before ? quietTurns + 1 : 0;
  }
  server.off('connection', count);
}

/** One turn may have begun its poll before the connection was there; two have looked. */
const quietTurnsEnough = 3;
