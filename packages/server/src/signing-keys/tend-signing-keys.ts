import { type DocumentId, Fault, type SigningKeyRecord } from '@keyswarm/core';
import { signingKeysListedMax } from '../limits.ts';
import { recordOf } from './change-signing-keys.ts';
import {
  type HandOverPorts,
  handOverSigning,
  houseActor,
  lastTokenGoneAtMs,
  removeRetired,
} from './rotate-signing-keys.ts';

/*
 * What the clock asks for of signing keys: that the next one takes over when the active one is old, and that a retired one goes
 * once its last token has expired. The gates are those of the operations; where one is shut the key is left to the next
 * run. Two servers that do it at once do it once: what is due is asked again in the write.
 */

export interface TendingRule {
  /** Of an active key, since it became that; null: it signs until somebody rotates. */
  readonly rotateAfterMs: number | null;
}

export interface Tended {
  readonly rotated: number;
  readonly removed: number;
  /** Due, but for a gate. */
  readonly waiting: number;
}

export async function tendSigningKeys(
  ports: HandOverPorts,
  rule: TendingRule,
  signal?: AbortSignal,
): Promise<Tended> {
  const tended = { rotated: 0, removed: 0, waiting: 0 };
  const { reader } = ports.signing;
  let after: DocumentId | undefined;
  for (;;) {
    const page = await reader.documents({ kind: 'sk', after, limit: signingKeysListedMax });
    for (const document of page) {
      signal?.throwIfAborted();
      const key = recordOf(document);
      const done = key === undefined ? undefined : await tendOne(ports, key, rule);
      if (done !== undefined) tended[done] += 1;
    }
    after = page.at(-1)?.id;
    if (page.length < signingKeysListedMax) return tended;
  }
}

async function tendOne(
  ports: HandOverPorts,
  key: SigningKeyRecord,
  rule: TendingRule,
): Promise<keyof Tended | undefined> {
  try {
    if (isOld(ports, key, rule)) return await rotate(ports, key, rule);
    if (key.state === 'retired' && ports.clock.nowMs() > lastTokenGoneAtMs(key)) {
      const { id, workspaceId } = key;
      await removeRetired(ports.signing, { id, workspaceId, actor: houseActor(workspaceId) });
      return 'removed';
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === 'signing_key_gate') return 'waiting';
    // Another server, or a manager, was first.
    if (error.code === 'signing_key_state' || error.code === 'revision_mismatch') return undefined;
    throw error;
  }
}

/** A key of another issuer signs no more: the first token under this one's name replaces it. */
function isOld({ signing, clock }: HandOverPorts, key: SigningKeyRecord, rule: TendingRule): boolean {
  return key.issuer === signing.issuer && isDue(key, rule, clock.nowMs());
}

function isDue(
  { state, activatedAtMs }: SigningKeyRecord,
  { rotateAfterMs }: TendingRule,
  nowMs: number,
): boolean {
  return (
    state === 'active' &&
    activatedAtMs !== null &&
    rotateAfterMs !== null &&
    nowMs >= activatedAtMs + rotateAfterMs
  );
}

async function rotate(
  ports: HandOverPorts,
  { id, workspaceId, algorithm }: SigningKeyRecord,
  rule: TendingRule,
): Promise<keyof Tended | undefined> {
  const { at } = await handOverSigning(ports, {
    workspaceId,
    algorithm,
    actor: houseActor(workspaceId),
    isDue: (active, nowMs) => active.id === id && isDue(active, rule, nowMs),
  });
  return at === null ? undefined : 'rotated';
}
