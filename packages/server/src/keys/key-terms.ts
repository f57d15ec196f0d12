import type { Fault, FaultCode, KeyRecord, KeyTraits, OwnerKind } from '@keyswarm/core';
import type { ProofWish } from './mint-version.ts';

/** What a caller asks for when it issues or imports a key, decoded from the wire. */
export interface KeyTerms {
  /** Id or name. */
  readonly keyspace: string;
  readonly owner: { readonly kind: OwnerKind; readonly externalId: string };
  readonly name: string;
  readonly scopes: readonly string[];
  readonly ttlSeconds?: number | undefined;
  readonly expiresAtMs?: number | undefined;
  readonly notBeforeMs?: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly proof?: ProofWish | undefined;
  /** What few keys have; never from the wire as it is. */
  readonly traits?: KeyTraits | undefined;
}

/** Why one item of a bulk was refused. Plain data, since it is kept with the reply for replay. */
export interface Refusal {
  readonly code: FaultCode;
  readonly detail: string;
  readonly field: string | undefined;
  readonly expected: string | undefined;
}

export function refusalOf(fault: Fault): Refusal {
  return { code: fault.code, detail: fault.message, field: fault.field, expected: fault.expected };
}

/** Public details of a key's event: who, where and whose; never a secret, never a fingerprint. */
export function keyEventData(
  key: KeyRecord,
  actorKeyId: string | null,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return { actor: actorKeyId, keyspace_id: key.keyspaceId, owner_id: key.ownerId, ...more };
}
