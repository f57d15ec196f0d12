import type { Secret } from '@keyswarm/core';

/** Shown once, to whoever started the server: past the log, which is kept and shipped. */
export function firstKeyBlock(
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
