import {
  createdWorkspaceView,
  keyspaceView,
  ownerView,
  resumedKeyspaceView,
  resumedOwnerView,
  revokedOwnerKeysView,
  suspendedKeyspaceView,
  suspendedOwnerView,
} from '@keyswarm/contract';
import type { OwnerId } from '@keyswarm/core';
import {
  createOneKeyspace,
  resumeOneKeyspace,
  suspendOneKeyspace,
  updateOneKeyspace,
} from '../../keyspaces/change-keyspace.ts';
import {
  createOneOwner,
  resumeOneOwner,
  revokeKeysOfOwner,
  suspendOneOwner,
} from '../../owners/change-owner.ts';
import { createWorkspace } from '../../workspaces/create-workspace.ts';
import type { HandlerServices, Handlers } from '../handler.ts';

type HouseWrites =
  | 'createWorkspace'
  | 'createKeyspace'
  | 'updateKeyspace'
  | 'suspendKeyspace'
  | 'resumeKeyspace'
  | 'createOwner'
  | 'suspendOwner'
  | 'resumeOwner'
  | 'revokeOwnerKeys';

/** The operations that change what keys live in. */
export function houseHandlers({ ports }: HandlerServices): Handlers<HouseWrites> {
  return {
    async createWorkspace({ body, caller, idempotency }) {
      const { workspace, managementKey } = await createWorkspace(ports, caller, body.name, idempotency);
      return createdWorkspaceView(workspace, managementKey);
    },

    async createKeyspace({ body, caller, idempotency }) {
      const terms = {
        name: body.name,
        prefix: body.prefix,
        allowedScopes: body.allowed_scopes,
        ...policyOf(body),
      };
      return keyspaceView(await createOneKeyspace(ports, caller, terms, idempotency));
    },

    async updateKeyspace({ params, body, caller }) {
      const patch = { allowedScopes: body.allowed_scopes, ...policyOf(body) };
      return keyspaceView(await updateOneKeyspace(ports, caller, params.id, patch));
    },

    async suspendKeyspace({ params, caller, idempotency }) {
      const { keyspace, effectiveByMs } = await suspendOneKeyspace(ports, caller, params.id, idempotency);
      return suspendedKeyspaceView(keyspace, effectiveByMs);
    },

    async resumeKeyspace({ params, caller, idempotency }) {
      return resumedKeyspaceView(await resumeOneKeyspace(ports, caller, params.id, idempotency));
    },

    async createOwner({ body, caller, idempotency }) {
      const wish = { kind: body.kind, externalId: body.external_id };
      return ownerView(await createOneOwner(ports, caller, wish, idempotency));
    },

    async suspendOwner({ params, caller, idempotency }) {
      const { owner, effectiveByMs } = await suspendOneOwner(
        ports,
        caller,
        params.id as OwnerId,
        idempotency,
      );
      return suspendedOwnerView(owner, effectiveByMs);
    },

    async resumeOwner({ params, caller, idempotency }) {
      return resumedOwnerView(await resumeOneOwner(ports, caller, params.id as OwnerId, idempotency));
    },

    async revokeOwnerKeys({ params, caller, idempotency }) {
      const { owner, effectiveByMs } = await revokeKeysOfOwner(
        ports,
        caller,
        params.id as OwnerId,
        idempotency,
      );
      return revokedOwnerKeysView(owner, effectiveByMs);
    },
  };
}

interface PolicyBody {
  readonly default_ttl_seconds?: number | null;
  readonly max_ttl_seconds?: number | null;
  readonly max_grace_seconds?: number;
  readonly lease_seconds?: number;
}

function policyOf(body: PolicyBody) {
  return {
    defaultTtlSeconds: body.default_ttl_seconds,
    maxTtlSeconds: body.max_ttl_seconds,
    maxGraceSeconds: body.max_grace_seconds,
    leaseSeconds: body.lease_seconds,
  };
}
