import type { Secret } from '@keyswarm/core';
import type { ServerConfig } from '../config/config-schema.ts';
import { urlForClients } from './url-for-clients.ts';

/** Shown once, to whoever started the server: past the log, which is kept and shipped. */
export function firstKeyBlock(
  secret: Secret,
  config: Pick<ServerConfig, 'host' | 'port' | 'publicUrl'>,
): string {
  const url = urlForClients(config);
  const line = '─'.repeat(78);
  return [
    '',
    line,
    '  The first management key of this store. It is shown once; only its hash is kept.',
    '',
    `  export KEYSWARM_KEY=${secret.reveal()}`,
    ...(url === undefined ? [] : [`  export KEYSWARM_URL=${url}`]),
    '',
    '  It may do everything. Issue narrower keys with it for daily use.',
    line,
    '',
    '',
  ].join('\n');
}
