import {
  finishedRotationView,
  issuedKeyView,
  type KeyIssue,
  keyView,
  optionalTimeMsOf,
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
import { finishKeyRotation, rotateOneKey } from '../../keys/rotate-key.ts';
import { updateOneKey } from '../../keys/update-key.ts';
import type { HandlerServices, Handlers } from '../handler.ts';

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
      const { key, secret } = await issueOneKey(ports, caller, termsOf(body), idempotency);
      metrics.issuance('single', clock.monotonicMs() - startedMs);
      return issuedKeyView(key, secret);
    },

    async issueKeysBulk({ body, caller, idempotency }) {
      const startedMs = clock.monotonicMs();
      const items = body.keys.map((item) => termsOrFault(() => termsOf(item)));
      const results = await issueManyKeys(ports, caller, items, idempotency);
      metrics.issuance('bulk', clock.monotonicMs() - startedMs);
      return {
        results: results.map((result) =>
          'issued' in result
            ? issuedKeyView(result.issued.key, result.issued.secret)
            : refusedItemView(faultOfRefusal(result.refused)),
        ),
      };
    },

    async updateKey({ params, body, caller }) {
      const { if_revision: ifRevision, expires_at: expiresAt, ...rest } = body;
      const expiresAtMs = optionalTimeMsOf(expiresAt, '/expires_at');
      const id = params.id as KeyId;
      const key = await updateOneKey(ports, caller, { id, patch: { ...rest, expiresAtMs }, ifRevision });
      return keyView(key, clock.nowMs());
    },

    async rotateKey({ params, body, caller, idempotency }) {
      const startedMs = clock.monotonicMs();
      const wish = { id: params.id as KeyId, graceSeconds: body.grace_seconds, cut: body.cut };
      const { key, secret, effectiveByMs } = await rotateOneKey(ports, caller, wish, idempotency);
      metrics.issuance('rotate', clock.monotonicMs() - startedMs);
      return rotatedKeyView(key, secret, effectiveByMs);
    },

    async finishRotation({ params, body, caller, idempotency }) {
      const wish = { id: params.id as KeyId, force: body.force ?? false };
      const { key, effectiveByMs } = await finishKeyRotation(ports, caller, wish, idempotency);
      return finishedRotationView(key, effectiveByMs);
    },

    async revokeKey({ params, body, caller, idempotency }) {
      const wish = { id: params.id as KeyId, reason: body.reason };
      const { key, effectiveByMs } = await revokeOneKey(ports, caller, wish, idempotency);
      return revokedKeyView(key, effectiveByMs);
    },

    async suspendKey({ params, caller, idempotency }) {
      const { key, effectiveByMs } = await suspendOneKey(ports, caller, params.id as KeyId, idempotency);
      return suspendedKeyView(key, effectiveByMs);
    },

    async resumeKey({ params, caller, idempotency }) {
      const key = await resumeOneKey(ports, caller, params.id as KeyId, idempotency);
      return resumedKeyView(key, clock.nowMs());
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
