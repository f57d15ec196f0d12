import { createHash } from 'node:crypto';
import { lifeOf } from '../checker/durability.ts';
import type { OperationResult, Settlement } from '../history/operation.ts';

/** What a server answered, before anybody has said what it means. */
export interface RawReply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Certain to have had no effect, or not. 4xx and a shed request are; a lost COMMIT (`outcome_unknown`), a server that failed, and a
 * reply of something in between are not.
 */
export function settlementOf({ status, body }: RawReply): Settlement {
  const code = String(body.code ?? '');
  if (status >= 200 && status < 300) return { outcome: 'ok', status, code, result: resultOf(body) };
  const isCertain = (status >= 400 && status < 500) || (status === 503 && certainlyNothing.has(code));
  return { outcome: isCertain ? 'fail' : 'unknown', status, code };
}

const certainlyNothing: ReadonlySet<string> = new Set([
  'overloaded',
  'stale',
  'store_unavailable',
  'shutting_down',
]);

/** Said of a request that may be sent again as it is. */
export function mayBeRepeated({ outcome, status, code }: Settlement): boolean {
  if (outcome === 'unknown') return true;
  return outcome === 'fail' && (status === 503 || status === 429 || code === 'idempotency_in_progress');
}

function resultOf(body: Readonly<Record<string, unknown>>): OperationResult {
  const { id, version, secret, seq } = body;
  const previous = body.previous as { readonly retires_at?: string } | undefined;
  const versions = body.versions as
    | readonly { readonly version: number; readonly state: string }[]
    | undefined;
  return {
    ...(typeof id === 'string' ? { keyId: id } : {}),
    ...(typeof version === 'number' ? { version } : {}),
    ...(typeof secret === 'string' ? { secretDigest: digestOf(secret) } : {}),
    ...(typeof seq === 'string' ? { seq } : {}),
    ...time('effectiveByMs', body.effective_by),
    ...time('expiresAtMs', body.expires_at),
    ...time('retiresAtMs', previous?.retires_at),
    ...(versions === undefined ? {} : readOf(String(body.state), versions)),
  };
}

function readOf(
  state: string,
  versions: readonly { readonly version: number; readonly state: string }[],
): OperationResult {
  return {
    life: lifeOf(state),
    versions: Math.max(0, ...versions.map(({ version }) => version)),
    liveVersions: versions.filter((one) => one.state !== 'retired').length,
  };
}

function time(name: 'effectiveByMs' | 'expiresAtMs' | 'retiresAtMs', value: unknown): OperationResult {
  return typeof value === 'string' ? { [name]: Date.parse(value) } : {};
}

/** Enough to tell two secrets apart, and nothing that could be presented. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(`chaos ${secret}`).digest('hex').slice(0, 16);
}
