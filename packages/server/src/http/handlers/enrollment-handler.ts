import { enrollmentCreatedView, optionalTimeMsOf, placedView } from '@keyswarm/contract';
import { createEnrollment } from '../../keys/create-enrollment.ts';
import { secretOf } from '../../keys/mint-version.ts';
import type { HandlerServices, Handlers } from '../handler.ts';

/** The making of enrollment keys. */
export function enrollmentHandler({ ports }: HandlerServices): Handlers<'createEnrollment'> {
  return {
    async createEnrollment({ body, caller, idempotency }) {
      const { owner, owner_rule: rule } = body;
      const made = await createEnrollment(
        ports,
        caller,
        {
          keyspace: body.keyspace,
          name: body.name ?? '',
          scopes: body.scopes,
          uses: body.uses,
          ttlSeconds: body.ttl_seconds,
          expiresAtMs: optionalTimeMsOf(body.expires_at, '/expires_at'),
          metadata: body.metadata ?? {},
          owner: owner && { kind: owner.kind, externalId: owner.external_id },
          ownerRule: rule && { kinds: rule.kinds, externalIdPrefix: rule.external_id_prefix ?? '' },
          keyTtlSeconds: body.key_ttl_seconds,
          claims: body.claims ?? [],
          cascade: body.cascade ?? false,
        },
        idempotency,
      );
      return placedView(enrollmentCreatedView(made.key, secretOf(made)), made.at);
    },
  };
}
