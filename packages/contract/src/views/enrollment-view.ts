import { enrollmentOf, type KeyRecord, type OwnerRule } from '@keyswarm/core';
import type { EnrollmentReply } from '../schemas/enrollment-terms.ts';

/** The terms of an enrollment key, for whoever may read it. */
export function enrollmentView(key: KeyRecord): EnrollmentReply {
  const { usesLeft, usesMax, ownerRule, keyTtlSeconds, claims, cascade } = enrollmentOf(key);
  return {
    uses_left: usesLeft,
    uses: usesMax,
    ...(ownerRule === null ? {} : { owner_rule: ownerRuleView(ownerRule) }),
    ...(keyTtlSeconds === null ? {} : { key_ttl_seconds: keyTtlSeconds }),
    claims,
    cascade,
  };
}

function ownerRuleView({ kinds, externalIdPrefix }: OwnerRule): NonNullable<EnrollmentReply['owner_rule']> {
  return { kinds, ...(externalIdPrefix === '' ? {} : { external_id_prefix: externalIdPrefix }) };
}
