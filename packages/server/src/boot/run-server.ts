import { readFileSync } from 'node:fs';
import type { Secret } from '@keyswarm/core';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { createLog } from '../logging/log.ts';
import { currentProcess, type ProcessPort } from '../runtime/process.ts';
import { startServer } from './start-server.ts';

export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** The settings of this process: file, variables, flags. Throws a `ConfigError` that names what to change. */
export function loadProcessConfig(flags: Flags, port: ProcessPort = currentProcess): LoadedConfig {
  return loadConfig({ flags, variables: port.variables, readFile: readIfThere });
}

/**
 * The server as a process. Resolves when it listens. The first SIGTERM or SIGINT drains it and ends the process
 * with 0; a second one ends it at once. An error that nobody caught ends it with 1: what the process believes is
 * no longer known to be true, and starting anew is safe, since nothing acknowledged lives only in memory.
 */
export async function runServer(flags: Flags, port: ProcessPort = currentProcess): Promise<void> {
  const { config, shouts } = loadProcessConfig(flags, port);
  const log = createLog(config.logLevel);
  port.onBug((error) => {
    log.fatal({ err: error }, 'an error that nobody caught');
    port.exit(1);
  });
  for (const shout of shouts) log.warn({ insecure: true }, shout);
  const server = await startServer(config, {
    log,
    showFirstKey: (secret) => port.print(firstKeyBlock(secret, config)),
  });
  let isStopping = false;
  port.onSignal((signal) => {
    if (isStopping) {
      port.exit(signal === 'SIGINT' ? 130 : 143);
      return;
    }
    isStopping = true;
    log.info({ signal }, 'stopping');
    void server.close().then(() => {
      log.info({}, 'stopped');
      port.exit(0);
    });
  });
}

/** Shown once, to whoever started the server: past the log, which is kept and shipped. */
function firstKeyBlock(
  secret: Secret,
  { host, port }: { readonly host: string; readonly port: number },
): string {
  const line = '─'.repeat(78);
  return [
    '',
    line,
    '  The first management key of this store. It is shown once; only its hash is kept.',
    '',
    `  export KEYSWARM_KEY=${secret.reveal()}`,
    ...(port === 0
      ? []
      : [`  export KEYSWARM_URL=http://${host.includes(':') ? `[${host}]` : host}:${port}`]),
    '',
    '  It may do everything. Issue narrower keys with it for daily use.',
    line,
    '',
    '',
  ].join('\n');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
