import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Leftovers } from '../processes/leftovers.ts';
import { openNamespace } from './network-namespace.ts';
import { startTcpProxy } from './tcp-proxy.ts';

/*
 * A way to ports of this machine on which packets are lost: it leads into a namespace and out again. Unlike a TCP proxy, which holds
 * bytes back, it leaves TCP to notice, to send again, and to wait longer each time.
 *
 *   const way = openLossyWay(leftovers);
 *   const { host, port } = await way.to(relayPort);
 *   way.lose(0.2);
 *   await way.close();
 */

export interface LossyWay {
  /** Where the port is reached this way. */
  to(port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** In [0, 1], of all that goes over the cable: a byte does twice, whichever way it goes. */
  lose(share: number): void;
  /** Packets that were lost since it was last told what to lose. */
  lost(): number;
  close(): Promise<void>;
}

const main = fileURLToPath(new URL('./lossy-way-main.ts', import.meta.url));

export function openLossyWay(leftovers: Leftovers): LossyWay {
  const net = openNamespace(leftovers);
  const ends: (() => Promise<unknown>)[] = [];
  return {
    async to(port) {
      // From inside, 127.0.0.1 is the namespace's own: the port has to be reached at this machine's end of the cable.
      const way = await startTcpProxy({ port, listenHost: net.outside });
      ends.push(() => way.close());
      const inside = net.spawn(process.execPath, [main, net.inside, net.outside, String(way.port)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const exited = once(inside, 'exit');
      ends.push(() => {
        inside.kill('SIGKILL');
        return exited;
      });
      if (inside.stdout === null) throw new Error('it has no output');
      const [said] = await Promise.race([
        once(createInterface(inside.stdout), 'line'),
        exited.then(() => [undefined]),
      ]);
      if (said === undefined) throw new Error('what leads through the namespace ended before it listened');
      return { host: net.inside, port: Number(said) };
    },
    lose: (share) => net.lose({ arriving: share, leaving: share }),
    lost: () => net.lost(),
    async close() {
      await Promise.all(ends.map((end) => end()));
      net.close();
    },
  };
}
