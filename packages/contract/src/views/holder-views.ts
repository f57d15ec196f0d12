import {
  assert,
  enrollmentOf,
  type KeyRecord,
  type RenewWindow,
  renewWindowOfKey,
  type Secret,
  type ValidVerdict,
} from '@keyswarm/core';
import type { EnrollmentCreated } from '../schemas/enrollments.ts';
import type { SelfRenewed, SelfReply } from '../schemas/holder.ts';
import { issuedKeyView } from './key-views.ts';
import type { Unplaced } from './placed-view.ts';
import { nullableTimeText, timeText } from './time.ts';

/* What the holder of a key is told of it. */

export function selfView(verdict: ValidVerdict, window: RenewWindow | null): SelfReply {
  const { owner } = verdict;
  return {
    id: verdict.keyId,
    version: verdict.version,
    state: verdict.rotation === null ? 'active' : 'grace',
    owner: { id: owner.id, kind: owner.kind, external_id: owner.externalId },
    keyspace_id: verdict.keyspaceId,
    keyspace: verdict.keyspace,
    scopes: verdict.scopes,
    expires_at: nullableTimeText(verdict.expiresAtMs),
    ...windowView(window),
  };
}

function windowView(window: RenewWindow | null): Pick<SelfReply, 'renew_after' | 'renew_by'> {
  return {
    renew_after: nullableTimeText(window?.opensMs ?? null),
    renew_by: nullableTimeText(window?.closesMs ?? null),
  };
}

/** `previousNumber`: of the version by which the renewal was asked for. */
export function renewedView(key: KeyRecord, secret: Secret, previousNumber: number): Unplaced<SelfRenewed> {
  const newest = key.versions.at(-1);
  const previous = key.versions.find(({ number }) => number === previousNumber);
  assert(newest !== undefined && previous !== undefined, 'a renewed key has both of its versions');
  assert(previous.retiresAtMs !== null, 'a version that was renewed has an end');
  return {
    id: key.id,
    version: newest.number,
    secret: secret.reveal(),
    previous: { version: previous.number, retires_at: timeText(previous.retiresAtMs) },
    scopes: key.scopes,
    expires_at: nullableTimeText(key.expiresAtMs),
    ...windowView(renewWindowOfKey(key)),
  };
}

export function enrollmentCreatedView(key: KeyRecord, secret: Secret): Unplaced<EnrollmentCreated> {
  const { usesMax, cascade } = enrollmentOf(key);
  return { ...issuedKeyView(key, secret), uses: usesMax, cascade };
}
