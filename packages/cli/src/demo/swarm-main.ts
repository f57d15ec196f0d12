import process from 'node:process';
import type { FromSwarm, ToSwarm } from './demo-messages.ts';
import { Swarm } from './swarm.ts';

/** The process of the swarm. It ends with the server's, however that ends, and takes its nodes along. */
let swarm: Swarm | undefined;

process.on('message', (message: ToSwarm) => {
  if (message.kind === 'begin') {
    swarm = new Swarm(message.url, message.key, (state) => {
      const told: FromSwarm = { kind: 'state', state };
      if (process.connected) process.send?.(told, () => {});
    });
  } else void swarm?.run();
});
process.once('disconnect', end);
process.once('SIGTERM', end);
// On a terminal Ctrl-C reaches the whole group; the server says when it is over.
process.on('SIGINT', () => {});

function end(): void {
  swarm?.stop();
  process.exit(0);
}
