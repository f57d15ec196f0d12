import { assert, graceVersionAt, type KeyRecord, keyStateAt, versionStateAt } from '@keyswarm/core';
import type { RotationReply } from '../schemas/rotations.ts';
import { nullableTimeText, timeText } from './time.ts';

/** One secret of the key, and its uses as far as verifiers have told. */
export interface ShownVersion {
  readonly number: number;
  readonly state: KeyRecord['versions'][number]['state'];
  readonly mintedAtMs: number;
  readonly retiresAtMs: number | null;
  readonly firstUsedMs: number | null;
  readonly lastUsedMs: number | null;
}

export interface ShownRotation {
  readonly key: KeyRecord;
  /** The present version and the one before it; the latter undefined where there is none. */
  readonly current: ShownVersion;
  readonly previous: ShownVersion | undefined;
  /** With which finishing is refused now; undefined: it is admitted. */
  readonly refusal: { readonly code: string; readonly detail: string } | undefined;
  readonly lineage: readonly ShownVersion[];
  readonly nextBefore: number | null;
}

export function rotationView(shown: ShownRotation, nowMs: number): RotationReply {
  const { key, current, previous, refusal, lineage, nextBefore } = shown;
  assert(previous === undefined || previous.number === current.number - 1, 'versions follow one another');
  const state = stateOf(shown, nowMs);
  return {
    id: key.id,
    state,
    key_state: keyStateAt(key, nowMs),
    version: current.number,
    previous_version: previous?.number ?? null,
    asked_at: previous === undefined ? null : timeText(current.mintedAtMs),
    retires_at: nullableTimeText(previous?.retiresAtMs ?? null),
    first_used_at: nullableTimeText(current.firstUsedMs),
    last_used_at: nullableTimeText(previous?.lastUsedMs ?? null),
    is_unproven: state === 'overlapping' && current.firstUsedMs === null,
    renew_after: nullableTimeText(key.traits.renewAfterMs ?? null),
    finish: {
      admitted: refusal === undefined,
      code: refusal?.code ?? null,
      detail: refusal?.detail ?? null,
    },
    lineage: {
      items: lineage.map((version) => ({
        version: version.number,
        state: versionStateAt(version, nowMs),
        minted_at: timeText(version.mintedAtMs),
        retires_at: nullableTimeText(version.retiresAtMs),
        first_used_at: nullableTimeText(version.firstUsedMs),
        last_used_at: nullableTimeText(version.lastUsedMs),
      })),
      next_before: nextBefore,
    },
  };
}

function stateOf({ key, previous }: ShownRotation, nowMs: number): RotationReply['state'] {
  if (previous === undefined) return 'none';
  const state = keyStateAt(key, nowMs);
  if (state === 'revoked' || state === 'expired') return 'finished';
  return graceVersionAt(key, nowMs) === undefined ? 'finished' : 'overlapping';
}
