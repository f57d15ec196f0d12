import { statSync } from 'node:fs';
import { createClient, isKeyswarmError } from '@keyswarm/sdk';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { formatDurationMs } from '../parse/duration.ts';
import { remedyOf } from '../unreachable.ts';

export type FindingState = 'ok' | 'warning' | 'fault';

export interface Finding {
  readonly check: string;
  readonly state: FindingState;
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
}

const probeTimeoutMs = 5_000;
/** The Date header counts whole seconds, so a second of difference says nothing. */
const skewNoticedMs = 2_000;
/** Expiry is judged by the server's clock; a minute more and people wonder why a key ends early. */
const skewHarmfulMs = 60_000;

/** Each check stands on the one before: a server that can't be reached is one finding, not five. */
export async function checkServer(context: Context): Promise<readonly Finding[]> {
  const { findings, isReached } = await probe(context);
  if (!isReached) return findings;
  const role = await checkRole(context);
  return [...findings, ...role, await checkReadiness(context), ...(await checkManagementKey(context))];
}

/** Asked with `fetch` itself: the SDK keeps the reply's Date header to itself. */
async function probe({ url, nowMs }: Context): Promise<{ findings: Finding[]; isReached: boolean }> {
  const check = 'server';
  const startedMs = nowMs();
  let response: Response;
  try {
    response = await fetch(`${url}/healthz`, {
      signal: AbortSignal.timeout(probeTimeoutMs),
      redirect: 'error',
    });
  } catch (error) {
    const detail = `${url} does not answer (${reasonOf(error)})`;
    const remedy = remedyOf(url, error);
    const finding: Finding = { check, state: 'fault', detail, ...(remedy === undefined ? {} : { remedy }) };
    return { findings: [finding], isReached: false };
  }
  const tookMs = nowMs() - startedMs;
  const body = await response.text();
  if (response.status !== 200 || !body.includes('"ok"')) {
    const detail = `${url} answers ${response.status}, but not as a Keyswarm server does`;
    return { findings: [{ check, state: 'fault', detail }], isReached: false };
  }
  const answered: Finding = { check, state: 'ok', detail: `${url} answers in ${formatDurationMs(tookMs)}` };
  return { findings: [answered, checkClock(response.headers.get('date'), tookMs)], isReached: true };
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : String(cause);
}

export function checkClock(date: string | null, tookMs: number, localMs = Date.now()): Finding {
  const check = 'clock';
  const serverMs = Date.parse(date ?? '');
  if (Number.isNaN(serverMs)) return { check, state: 'warning', detail: 'the server does not say its time' };
  // It was written somewhere between request and reply, and somewhere within its second.
  const aheadMs = serverMs + 500 - (localMs - tookMs / 2);
  const skewMs = Math.abs(aheadMs);
  if (skewMs <= skewNoticedMs) return { check, state: 'ok', detail: 'agrees with the server to the second' };
  const detail = `the server is ${formatDurationMs(skewMs)} ${aheadMs > 0 ? 'ahead' : 'behind'}`;
  const remedy = 'let both machines keep their time by NTP';
  return { check, state: skewMs > skewHarmfulMs ? 'fault' : 'warning', detail, remedy };
}

/** A node of verification answers the same addresses, and has nothing to manage. Asked without a key: it says so to anybody. */
async function checkRole({ url }: Context): Promise<readonly Finding[]> {
  const check = 'role';
  const response = await fetch(`${url}/v1/keyspaces`, {
    signal: AbortSignal.timeout(probeTimeoutMs),
    redirect: 'error',
  }).catch(() => undefined);
  const text = (await response?.text().catch(() => '')) ?? '';
  if (response?.status !== 421 || !text.includes('"verifier_only"')) return [];
  const detail = 'this is a verifier: it verifies, and refuses everything else';
  const remedy = 'for management calls name a server with --url or KEYSWARM_URL';
  return [{ check, state: 'warning', detail, remedy }];
}

async function checkReadiness({ url }: Context): Promise<Finding> {
  const check = 'ready';
  try {
    // Readiness asks for no key, but the client wants one: what it is given here is sent and not looked at.
    const { status, checks } = await createClient({ baseUrl: url, managementKey: 'none' }).ready();
    const failing = Object.entries(checks).filter(([, state]) => state !== 'ok');
    if (status === 'ready') return { check, state: 'ok', detail: Object.keys(checks).join(', ') || 'yes' };
    return { check, state: 'fault', detail: `not ready: ${failing.map(([name]) => name).join(', ')}` };
  } catch (error) {
    return { check, state: 'fault', detail: reasonOf(error) };
  }
}

async function checkManagementKey(context: Context): Promise<readonly Finding[]> {
  const check = 'key';
  try {
    const secret = context.managementKey();
    const verdict = await context.client().keys.verify({ key: secret.reveal() });
    if (!verdict.valid) return [{ check, state: 'fault', detail: `the management key is ${verdict.code}` }];
    const until = verdict.expires_at === null ? 'never expires' : `expires ${verdict.expires_at}`;
    const owner = `${verdict.owner.kind}:${verdict.owner.external_id}`;
    const detail = `${verdict.key_id} of ${owner} may ${verdict.scopes.join(' ')}; ${until}`;
    return [{ check, state: 'ok', detail }, ...checkKeyFile(context)];
  } catch (error) {
    if (error instanceof InputError) {
      const detail = `not checked, nor what it may do: ${error.message}`;
      return [{ check, state: 'warning', detail, remedy: error.expected ?? '' }];
    }
    if (isKeyswarmError(error, 'forbidden')) {
      // It was let in, so it is valid; what it lacks is the right to ask what it may do.
      return [{ check, state: 'ok', detail: 'is valid; its scopes are known only to who holds keys:verify' }];
    }
    if (isKeyswarmError(error, 'unauthenticated')) {
      const remedy = 'is it complete, of this server, and neither revoked nor expired?';
      return [{ check, state: 'fault', detail: 'the server does not accept the management key', remedy }];
    }
    return [{ check, state: 'fault', detail: reasonOf(error) }];
  }
}

function checkKeyFile({ keyFile }: Context): readonly Finding[] {
  if (keyFile === undefined || process.platform === 'win32') return [];
  const others = statSync(keyFile).mode & 0o077;
  if (others === 0) return [];
  const detail = `${keyFile} can be read by others`;
  return [{ check: 'key file', state: 'warning', detail, remedy: `chmod 600 ${keyFile}` }];
}
