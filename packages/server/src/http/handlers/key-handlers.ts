import {
  finishedRotationView,
  issuedKeyView,
  type KeyIssue,
  keyView,
  optionalTimeMsOf,
  placedView,
  refusedItemView,
  resumedKeyView,
  revokedKeyView,
  rotatedKeyView,
  suspendedKeyView,
} from '@keyswarm/contract';
import { Fault, type KeyId } from '@keyswarm/core';
import { resumeOneKey, revokeOneKey, suspendOneKey } from '../../keys/end-key.ts';
import { issueManyKeys, issueOneKey } from '../../keys/issue-keys.ts';
import type { KeyTerms, Refusal } from '../../keys/key-terms.ts';
import { suspendedAbove } from '../../keys/read-keys.ts';
import { readProofWish } from '../../keys/read-proof-wish.ts';
import { finishKeyRotation, rotateOneKey } from '../../keys/rotate-key.ts';
import { updateOneKey } from '../../keys/update-key.ts';
import type { HandlerServices, Handlers } from '../handler.ts';
import { endedReply } from './ended-reply.ts';

type KeyWrites =
  | 'issueKey'
  | 'issueKeysBulk'
  | 'updateKey'
  | 'rotateKey'
  | 'finishRotation'
  | 'revokeKey'
  | 'suspendKey'
  | 'resumeKey';

/** The operations that change keys. */
export function keyHandlers({ ports, metrics }: HandlerServices): Handlers<KeyWrites> {
  const { clock } = ports;
  return {
    async issueKey({ body, caller, idempotency }) {
      const startedMs = clock.monotonicMs();
      const { key, secret, at } = await issueOneKey(ports, caller, termsOf(body), idempotency);
      metrics.issuance('single', clock.monotonicMs() - startedMs);
      return placedView(issuedKeyView(key, secret), at);
    },

    async issueKeysBulk({ body, caller, idempotency }) {
      const startedMs = clock.monotonicMs();
      const items = body.keys.map((item) => termsOrFault(() => termsOf(item)));
      const results = await issueManyKeys(ports, caller, items, idempotency);
      metrics.issuance('bulk', clock.monotonicMs() - startedMs);
      return {
        results: results.map((result) =>
          'issued' in result
            ? placedView(issuedKeyView(result.issued.key, result.issued.secret), result.issued.at)
            : refusedItemView(faultOfRefusal(result.refused)),
        ),
      };
    },

    async updateKey({ params, body, caller }) {
      const { if_revision: ifRevision, expires_at: expiresAt, ...rest } = body;
      const expiresAtMs = optionalTimeMsOf(expiresAt, '/expires_at');
      const id = params.id as KeyId;
      const wish = { id, patch: { ...rest, expiresAtMs }, ifRevision };
      const { key, at } = await updateOneKey(ports, caller, wish);
      return placedView(keyView(key, clock.nowMs(), await suspendedAbove(ports, [key])), at);
    },

    async rotateKey({ params, body, caller, idempotency }) {
      const startedMs = clock.monotonicMs();
      const { grace_seconds: graceSeconds, cut } = body;
      const wish = { id: params.id as KeyId, graceSeconds, cut, proof: readProofWish(body.proof) };
      const { key, secret, at, effectiveByMs } = await rotateOneKey(ports, caller, wish, idempotency);
      metrics.issuance('rotate', clock.monotonicMs() - startedMs);
      return placedView(rotatedKeyView(key, secret, effectiveByMs), at);
    },

    async finishRotation({ params, body, caller, idempotency }) {
      const wish = { id: params.id as KeyId, force: body.force ?? false };
      const { key, at, effectiveByMs } = await finishKeyRotation(ports, caller, wish, idempotency);
      return placedView(finishedRotationView(key, effectiveByMs), at);
    },

    async revokeKey(call) {
      const { params, body, caller, idempotency } = call;
      const wish = { id: params.id as KeyId, reason: body.reason };
      const ended = await revokeOneKey(ports, caller, wish, idempotency);
      return endedReply(ports, call, ended, revokedKeyView(ended.key, ended.effectiveByMs));
    },

    async suspendKey(call) {
      const { params, caller, idempotency } = call;
      const ended = await suspendOneKey(ports, caller, params.id as KeyId, idempotency);
      return endedReply(ports, call, ended, suspendedKeyView(ended.key, ended.effectiveByMs));
    },

    async resumeKey({ params, caller, idempotency }) {
      const { key, at } = await resumeOneKey(ports, caller, params.id as KeyId, idempotency);
      return placedView(resumedKeyView(key, clock.nowMs()), at);
    },
  };
}

export function termsOf(body: KeyIssue): KeyTerms {
  return {
    keyspace: body.keyspace,
    owner: { kind: body.owner.kind, externalId: body.owner.external_id },
    name: body.name ?? '',
    scopes: body.scopes,
    ttlSeconds: body.ttl_seconds,
    expiresAtMs: optionalTimeMsOf(body.expires_at, '/expires_at'),
    notBeforeMs: optionalTimeMsOf(body.not_before, '/not_before'),
    metadata: body.metadata ?? {},
    proof: readProofWish(body.proof),
  };
}

/** What is wrong with one item of a bulk request is that item's result. */
export function termsOrFault<Terms>(decode: () => Terms): Terms | Fault {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

export function faultOfRefusal({ code, detail, field }: Refusal): Fault {
  return new Fault(code, { detail, ...(field === undefined ? {} : { field }) });
}
