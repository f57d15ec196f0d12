import type { Secret } from '@keyswarm/core';
import type { ServerConfig } from '../config/config-schema.ts';
import { createLog, type Log } from '../logging/log.ts';
import type { ParentChannel } from '../runtime/parent-channel.ts';
import { currentProcess, type ProcessPort } from '../runtime/process.ts';
import { systemTimers } from '../runtime/timers.ts';
import { carryError } from '../workers/carried-error.ts';
import type { FromWorker, ToWorker, WorkerPlace } from '../workers/worker-messages.ts';
import { ChannelSeat } from '../workers/worker-seat.ts';
import { firstKeyBlock } from './first-key-block.ts';
import { Lifetime } from './lifetime.ts';
import { startServer } from './start-server.ts';

type Channel = ParentChannel<FromWorker, ToWorker>;

/**
 * One of several servers on one port, as a process. It begins when its supervisor says so and drains when the
 * supervisor says so, is gone, or anybody sends SIGTERM or SIGINT. A second signal changes nothing: a terminal sends
 * them to the whole group, and a manager of services to the whole of its, so that it would count twice. Who wants an
 * end at once ends the supervisor twice, or this process with SIGKILL.
 */
export function runWorker(channel: Channel, port: ProcessPort = currentProcess): void {
  let worker: Worker | undefined;
  let isGone = false;
  const stop = (why: object): void => {
    if (worker === undefined) port.exit(0);
    else worker.life.stop(why);
  };
  port.onSignal((signal) => stop({ signal }));
  channel.onClosed(() => {
    isGone = true;
    stop({ supervisor: 'gone' });
  });
  channel.onMessage((message) => {
    if (message.kind === 'start' && !isGone) worker = beginWorker(message, { channel, port });
    else if (message.kind === 'open') worker?.seat.open();
    else if (message.kind === 'news') worker?.seat.news();
    else if (message.kind === 'drain') stop({ supervisor: 'drain' });
    else if (message.kind === 'scraped') worker?.seat.scraped(message.ask, message.families);
    else if (message.kind === 'report') void worker?.seat.report(message.round);
  });
}

interface Worker {
  readonly life: Lifetime;
  readonly seat: ChannelSeat;
}

function beginWorker(
  { config, place }: { readonly config: ServerConfig; readonly place: WorkerPlace },
  { channel, port }: { readonly channel: Channel; readonly port: ProcessPort },
): Worker {
  const log = createLog(config.logLevel, undefined, { worker: place.worker });
  port.onBug((error) => {
    log.fatal({ err: error }, 'an error that nobody caught');
    port.exit(1);
  });
  const life = new Lifetime(port, log);
  const seat = new ChannelSeat({ place, channel, timers: systemTimers });
  const start = async (): Promise<void> => {
    const showFirstKey = (secret: Secret) => port.print(firstKeyBlock(secret, config));
    const server = await life.run((signal) => startServer(config, { log, signal, seat, showFirstKey }));
    if (server !== undefined) await channel.send({ kind: 'listening', url: server.url });
  };
  start().catch((error: unknown) => giveUp(error, { channel, port, log }));
  return { life, seat };
}

/** The supervisor decides what follows from it, and tells whoever is to be told. */
async function giveUp(
  error: unknown,
  { channel, port, log }: { readonly channel: Channel; readonly port: ProcessPort; readonly log: Log },
): Promise<void> {
  log.debug({ err: error }, 'the start of this worker failed');
  await channel.send({ kind: 'failed', error: carryError(error) });
  port.exit(1);
}
