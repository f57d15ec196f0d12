import type { WebhookReply } from '@keyswarm/contract';

const words: Readonly<Record<string, string>> = {
  address: 'its address may not be called',
  connect: 'it can not be reached',
  timeout: 'it takes too long to answer',
  redirect: 'it redirects, which is not followed',
  client_error: 'it refuses what is sent',
  server_error: 'it fails',
  gone: 'it says that it is gone',
};

/** Of `server_error: status 503`: `it fails (status 503)`. */
export function errorWords(error: string | null): string {
  if (error === null) return 'no attempt was taken';
  const [reason = '', status] = error.split(': ');
  const said = words[reason] ?? reason.replaceAll('_', ' ');
  return status === undefined ? said : `${said} (${status})`;
}

/** One that is active and takes nothing; one that is disabled is not sent to. */
export function isFailing({ state, delivery }: Pick<WebhookReply, 'state' | 'delivery'>): boolean {
  return state === 'active' && typeof delivery?.failing_since === 'string';
}
