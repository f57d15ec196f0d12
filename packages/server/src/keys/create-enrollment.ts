import {
  assert,
  checkEnrollment,
  type EnrollmentTerms,
  encodeEnrollment,
  Fault,
  type KeyspaceRecord,
  noTraits,
  type OwnerName,
  type OwnerRule,
} from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { requireAnywhere } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { type IssuedKey, issueOneKey } from './issue-keys.ts';
import type { KeyTerms } from './key-terms.ts';
import { findKeyspaceFor } from './new-keys.ts';

/** What a caller asks for when it makes an enrollment key, decoded from the wire. */
export interface EnrollmentWish extends Omit<KeyTerms, 'owner' | 'traits' | 'notBeforeMs'> {
  readonly uses: number;
  readonly owner?: OwnerName | undefined;
  readonly ownerRule?: OwnerRule | undefined;
  readonly keyTtlSeconds?: number | undefined;
  readonly claims: readonly string[];
  readonly cascade: boolean;
}

export interface MadeEnrollment extends IssuedKey {
  readonly terms: EnrollmentTerms;
}

/** Who holds the enrollment keys of a workspace that are bound to no owner: suspended, it ends all exchanges. */
export const enrollmentOwner: OwnerName = Object.freeze({
  kind: 'service',
  externalId: 'keyswarm-enrollment',
});

/**
 * Makes a key that can only be exchanged. It is issued as any other, with its terms beside it. Not of management keys:
 * who may manage is a manager's to say each time, not a string's that is handed to a fleet.
 */
export async function createEnrollment(
  ports: UseCasePorts,
  caller: Caller,
  wish: EnrollmentWish,
  idempotency: IdempotencyScope | undefined,
): Promise<MadeEnrollment> {
  requireAnywhere(caller, 'keys:issue');
  const { uses, owner, ownerRule, keyTtlSeconds, claims, cascade, ...rest } = wish;
  refuseUnlessOneOwner(wish);
  const keyspace = await findKeyspaceFor(ports, caller, { ...rest, owner: enrollmentOwner }, 'keys:issue');
  if (keyspace.isBuiltin) throw managementRefused();
  const policy = await ports.reader.keyspace(caller.workspaceId, keyspace.id);
  assert(policy !== undefined, 'a keyspace that was found stays');
  const refusal = refusalOfLife(policy, keyTtlSeconds);
  const terms = checkEnrollment({
    usesLeft: uses,
    usesMax: uses,
    ownerRule: ownerRule ?? null,
    keyTtlSeconds: keyTtlSeconds ?? null,
    claims,
    cascade,
  });
  const traits = { ...noTraits, enrollment: encodeEnrollment(terms) };
  const key = { ...rest, owner: owner ?? enrollmentOwner, traits };
  return { ...(await issueOneKey(ports, caller, refusal ?? key, idempotency)), terms };
}

function refuseUnlessOneOwner({ owner, ownerRule }: EnrollmentWish): void {
  if ((owner === undefined) !== (ownerRule === undefined)) return;
  throw new Fault(owner === undefined ? 'missing_field' : 'invalid_field', {
    detail:
      owner === undefined
        ? 'It has to be said who may hold what is made.'
        : 'Both an owner and a rule for owners were given.',
    field: '/owner',
    expected: 'one of owner and owner_rule',
  });
}

/** What every exchange would be refused for is refused here, where somebody can mend it. */
function refusalOfLife(
  { maxTtlSeconds, defaultTtlSeconds }: KeyspaceRecord,
  wanted: number | undefined,
): Fault | undefined {
  if (maxTtlSeconds === null) return undefined;
  const expected = `1 to ${maxTtlSeconds} seconds`;
  const field = '/key_ttl_seconds';
  if (wanted !== undefined && wanted > maxTtlSeconds) {
    const detail = 'The keyspace does not allow a secret to live that long.';
    return new Fault('ttl_too_long', { detail, field, expected });
  }
  if (wanted === undefined && defaultTtlSeconds === null) {
    const detail = 'The keyspace sets a maximum time to live and no default, so one must be given.';
    return new Fault('missing_field', { detail, field, expected });
  }
  return undefined;
}

function managementRefused(): Fault {
  return new Fault('builtin_protected', {
    detail: 'Management keys are issued, not enrolled.',
    field: '/keyspace',
    expected: 'another keyspace',
  });
}
