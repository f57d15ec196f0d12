import {
  type ApprovalRulesBody,
  createdWorkspaceView,
  keyspaceView,
  ownerView,
  placedView,
  type RotationRulesBody,
  resumedKeyspaceView,
  resumedOwnerView,
  revokedKeyspaceKeysView,
  revokedOwnerKeysView,
  suspendedKeyspaceView,
  suspendedOwnerView,
} from '@keyswarm/contract';
import type { OwnerId, ProofRule } from '@keyswarm/core';
import {
  createOneKeyspace,
  resumeOneKeyspace,
  suspendOneKeyspace,
  updateOneKeyspace,
} from '../../keyspaces/change-keyspace.ts';
import { revokeKeysOfKeyspace } from '../../keyspaces/revoke-keyspace-keys.ts';
import {
  createOneOwner,
  resumeOneOwner,
  revokeKeysOfOwner,
  suspendOneOwner,
} from '../../owners/change-owner.ts';
import { createWorkspace } from '../../workspaces/create-workspace.ts';
import type { HandlerServices, Handlers } from '../handler.ts';
import { endedReply } from './ended-reply.ts';

type HouseWrites =
  | 'createWorkspace'
  | 'createKeyspace'
  | 'updateKeyspace'
  | 'suspendKeyspace'
  | 'resumeKeyspace'
  | 'revokeKeyspaceKeys'
  | 'createOwner'
  | 'suspendOwner'
  | 'resumeOwner'
  | 'revokeOwnerKeys';

/** The operations that change what keys live in. */
export function houseHandlers({ ports }: HandlerServices): Handlers<HouseWrites> {
  return {
    async createWorkspace({ body, caller, idempotency }) {
      const { workspace, managementKey, at } = await createWorkspace(ports, caller, body.name, idempotency);
      return placedView(createdWorkspaceView(workspace, managementKey), at);
    },

    async createKeyspace({ body, caller, idempotency }) {
      const terms = {
        name: body.name,
        prefix: body.prefix,
        ...(body.format === undefined ? {} : { format: body.format }),
        allowedScopes: body.allowed_scopes,
        ...policyOf(body),
      };
      const { keyspace, at } = await createOneKeyspace(ports, caller, terms, idempotency);
      return placedView(keyspaceView(keyspace), at);
    },

    async updateKeyspace({ params, body, caller }) {
      const patch = { allowedScopes: body.allowed_scopes, ...policyOf(body) };
      const { keyspace, at } = await updateOneKeyspace(ports, caller, params.id, patch);
      return placedView(keyspaceView(keyspace), at);
    },

    async suspendKeyspace(call) {
      const { params, caller, idempotency } = call;
      const ended = await suspendOneKeyspace(ports, caller, params.id, idempotency);
      return endedReply(ports, call, ended, suspendedKeyspaceView(ended.keyspace, ended.effectiveByMs));
    },

    async resumeKeyspace({ params, caller, idempotency }) {
      const { keyspace, at } = await resumeOneKeyspace(ports, caller, params.id, idempotency);
      return placedView(resumedKeyspaceView(keyspace), at);
    },

    async revokeKeyspaceKeys(call) {
      const { params, caller, idempotency } = call;
      const ended = await revokeKeysOfKeyspace(ports, caller, params.id, idempotency);
      return endedReply(ports, call, ended, revokedKeyspaceKeysView(ended.keyspace, ended.effectiveByMs));
    },

    async createOwner({ body, caller, idempotency }) {
      const wish = { kind: body.kind, externalId: body.external_id };
      const { owner, at } = await createOneOwner(ports, caller, wish, idempotency);
      return placedView(ownerView(owner), at);
    },

    async suspendOwner(call) {
      const { params, caller, idempotency } = call;
      const ended = await suspendOneOwner(ports, caller, params.id as OwnerId, idempotency);
      return endedReply(ports, call, ended, suspendedOwnerView(ended.owner, ended.effectiveByMs));
    },

    async resumeOwner({ params, caller, idempotency }) {
      const { owner, at } = await resumeOneOwner(ports, caller, params.id as OwnerId, idempotency);
      return placedView(resumedOwnerView(owner), at);
    },

    async revokeOwnerKeys(call) {
      const { params, caller, idempotency } = call;
      const ended = await revokeKeysOfOwner(ports, caller, params.id as OwnerId, idempotency);
      return endedReply(ports, call, ended, revokedOwnerKeysView(ended.owner, ended.effectiveByMs));
    },
  };
}

const signingAlgorithmOfJose = { EdDSA: 'ed25519', ES256: 'ecdsa-p256-sha256' } as const;

interface PolicyBody {
  readonly default_ttl_seconds?: number | null;
  readonly max_ttl_seconds?: number | null;
  readonly max_grace_seconds?: number;
  readonly lease_seconds?: number;
  readonly proof?: ProofRule;
  readonly rotation?: RotationRulesBody;
  readonly approval?: ApprovalRulesBody;
  readonly token?: TokenRulesBody;
}

interface TokenRulesBody {
  readonly algorithm?: 'EdDSA' | 'ES256';
  readonly derived_ttl_seconds?: number;
}

function policyOf(body: PolicyBody) {
  return {
    defaultTtlSeconds: body.default_ttl_seconds,
    maxTtlSeconds: body.max_ttl_seconds,
    maxGraceSeconds: body.max_grace_seconds,
    leaseSeconds: body.lease_seconds,
    proof: body.proof,
    rotation: body.rotation && {
      rotateAfterSeconds: body.rotation.rotate_after_seconds,
      settleSeconds: body.rotation.settle_seconds,
      inUseWindowSeconds: body.rotation.in_use_window_seconds,
    },
    approval: body.approval,
    token: body.token && {
      algorithm: body.token.algorithm && signingAlgorithmOfJose[body.token.algorithm],
      derivedTtlSeconds: body.token.derived_ttl_seconds,
    },
  };
}
