import { readFileSync } from 'node:fs';
import type { Secret } from '@keyswarm/core';
import type { ServerConfig } from '../config/config-schema.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import type { DemoDoor } from '../http/handlers/demo-handler.ts';
import { createLog, type Log } from '../logging/log.ts';
import { childStarter } from '../runtime/child-process.ts';
import { systemClock } from '../runtime/clock.ts';
import { currentProcess, type ProcessPort } from '../runtime/process.ts';
import { systemRandom, unitInterval } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { type RunningWorkers, startSupervisor } from '../workers/supervisor.ts';
import { firstKeyBlock } from './first-key-block.ts';
import { Lifetime } from './lifetime.ts';
import { startServer } from './start-server.ts';
import { urlForClients } from './url-for-clients.ts';

export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** What whoever starts a server has beside it. */
export interface BesideServer {
  readonly demo?: DemoDoor;
  /** Told once, with the port that was really taken and an address by which this machine reaches it. Of several workers nobody tells it. */
  readonly onListening?: (url: string) => void;
}

/** The settings of this process: file, variables, flags. Throws a `ConfigError` that names what to change. */
export function loadProcessConfig(flags: Flags, port: ProcessPort = currentProcess): LoadedConfig {
  return loadConfig({ flags, variables: port.variables, readFile: readIfThere });
}

/**
 * The server as a process. Resolves when it listens. The first SIGTERM or SIGINT drains it and ends the process
 * with 0; a second one ends it at once. An error that nobody caught ends it with 1: what the process believes is
 * no longer known to be true, and starting anew is safe, since nothing acknowledged lives only in memory.
 */
export async function runServer(
  flags: Flags,
  port: ProcessPort = currentProcess,
  { demo, onListening }: BesideServer = {},
): Promise<void> {
  const { config, shouts } = loadProcessConfig(flags, port);
  const log = createLog(config.logLevel);
  const life = new Lifetime(port, log);
  let workers: RunningWorkers | undefined;
  port.onBug((error) => {
    log.fatal({ err: error }, 'an error that nobody caught');
    port.exit(1);
  });
  // Before the first step: a signal that comes while the server starts has to find somebody who listens.
  port.onSignal((signal) => {
    if (!life.isStopping) return life.stop({ signal });
    workers?.kill();
    port.exit(signal === 'SIGINT' ? 130 : 143);
  });
  for (const shout of shouts) log.warn({ insecure: true }, shout);
  if (config.workers > 1) {
    workers = await life.run((signal) => runWorkers(config, { log, port, signal }));
    return;
  }
  const showFirstKey = (secret: Secret) => port.print(firstKeyBlock(secret, config));
  const server = await life.run((signal) => startServer(config, { log, signal, showFirstKey, demo }));
  if (server === undefined) return;
  const taken = Number(new URL(server.url).port);
  onListening?.(urlForClients({ host: config.host, port: taken, publicUrl: null }) ?? server.url);
}

function runWorkers(
  config: ServerConfig,
  { log, port, signal }: { readonly log: Log; readonly port: ProcessPort; readonly signal: AbortSignal },
): Promise<RunningWorkers> {
  return startSupervisor(config, {
    log,
    signal,
    startChild: childStarter(new URL('./worker-main.ts', import.meta.url)),
    timers: systemTimers,
    nowMs: () => systemClock.monotonicMs(),
    chance: () => unitInterval(systemRandom),
    platform: port.platform,
    onCollapse: () => port.exit(1),
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
