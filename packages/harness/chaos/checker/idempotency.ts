import type { Operation } from '../history/operation.ts';
import type { Evidence } from './evidence.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/*
 * I4. One Idempotency-Key, one effect: every reply to it that says so tells of the same key, version and secret, and the store
 * holds one key of that name.
 */
export function checkIdempotency({
  operations,
  finalKeys,
}: Pick<Evidence, 'operations' | 'finalKeys'>): InvariantVerdict {
  const finding = new Finding('I4');
  const replies = new Map<string, Operation[]>();
  for (const operation of operations) {
    const { idempotencyKey } = operation;
    if (idempotencyKey === undefined) continue;
    const [acked] = replies.get(idempotencyKey) ?? [];
    if (acked !== undefined && operation.invokedMs > acked.settledMs && isRefused(operation))
      finding.violate(
        `key ${operation.key}: a ${operation.kind} that was acknowledged was answered ${operation.code} by ${operation.at} when it was repeated`,
      );
    if (operation.outcome !== 'ok') continue;
    replies.set(idempotencyKey, [...(replies.get(idempotencyKey) ?? []), operation]);
  }
  let replays = 0;
  for (const same of replies.values()) {
    finding.check();
    replays += same.length - 1;
    const [first] = same;
    const other = same.find((one) => effectOf(one) !== effectOf(first));
    if (other !== undefined)
      finding.violate(
        `key ${other.key}: a repeated ${other.kind} was answered by ${other.at} with another effect than before`,
      );
  }
  const byName = new Map<string, number>();
  for (const { name } of finalKeys) byName.set(name, (byName.get(name) ?? 0) + 1);
  for (const [name, count] of byName) {
    finding.check();
    if (count > 1) finding.violate(`${name} was issued once and is there ${count} times`);
  }
  return finding.verdict(`${replies.size} acknowledged, ${replays} of them answered again`);
}

/** Not told to come again, and not told the same: as if it had been another request. */
function isRefused({ outcome, status, code }: Operation): boolean {
  return outcome === 'fail' && status < 500 && status !== 429 && code !== 'idempotency_in_progress';
}

function effectOf(operation: Operation | undefined): string {
  const { keyId, version, secretDigest, seq } = operation?.result ?? {};
  return [keyId, version, secretDigest, seq].join(' ');
}
