import { readFileSync } from 'node:fs';
import { Lifetime } from '../boot/lifetime.ts';
import { createLog } from '../logging/log.ts';
import { currentProcess, type ProcessPort } from '../runtime/process.ts';
import { type LoadedNodeConfig, loadNodeConfig } from './load-node-config.ts';
import { readCredential } from './read-credential.ts';
import { startVerifyNode } from './start-node.ts';

export type NodeFlags = Readonly<Record<string, string | boolean | undefined>>;

/** The settings of this process: file, variables, flags. Throws a `ConfigError` that names what to change. */
export function loadNodeProcessConfig(
  flags: NodeFlags,
  port: ProcessPort = currentProcess,
): LoadedNodeConfig {
  return loadNodeConfig({ flags, variables: port.variables, readFile: readIfThere });
}

/**
 * The node as a process. Resolves when it listens, which says nothing of whether it is ready. The first SIGTERM or
 * SIGINT drains it and ends the process with 0; a second one ends it at once. An error that nobody caught ends it
 * with 1. Neither a refused credential nor a relay that is away ends it.
 */
export async function runVerifyNode(flags: NodeFlags, port: ProcessPort = currentProcess): Promise<void> {
  const { config, shouts } = loadNodeProcessConfig(flags, port);
  const credential = readCredential(config, readIfThere);
  const log = createLog(config.logLevel);
  const life = new Lifetime(port, log);
  port.onBug((error) => {
    log.fatal({ err: error }, 'an error that nobody caught');
    port.exit(1);
  });
  port.onSignal((signal) => {
    if (life.isStopping) port.exit(signal === 'SIGINT' ? 130 : 143);
    else life.stop({ signal });
  });
  for (const shout of shouts) log.warn({ insecure: true }, shout);
  await life.run(() => startVerifyNode(config, { log, credential }));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
