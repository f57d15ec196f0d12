import { placedView, signingKeyView } from '@keyswarm/contract';
import { assert, type SigningKeyId } from '@keyswarm/core';
import {
  listSigningKeys,
  type RotatePorts,
  removeSigningKey,
  revokeSigningKey,
  rotateSigningKeys,
} from '../../signing-keys/rotate-signing-keys.ts';
import type { HandlerServices, Handlers } from '../handler.ts';

type SigningKeyWork = 'listSigningKeys' | 'rotateSigningKeys' | 'revokeSigningKey' | 'removeSigningKey';

const nameOf = { EdDSA: 'ed25519', ES256: 'ecdsa-p256-sha256' } as const;

/** The operations on the keys that tokens are signed with. */
export function signingKeyHandlers({ ports }: HandlerServices): Handlers<SigningKeyWork> {
  const all = (): RotatePorts => {
    const { signing } = ports;
    assert(signing !== undefined, 'a server with these operations signs tokens');
    return { ...ports, signing };
  };
  return {
    async listSigningKeys({ caller }) {
      return { items: (await listSigningKeys(all(), caller)).map(signingKeyView) };
    },

    async rotateSigningKeys({ body, caller, idempotency }) {
      const { key, at } = await rotateSigningKeys(all(), caller, nameOf[body.algorithm], idempotency);
      return placedView(signingKeyView(key), at);
    },

    async revokeSigningKey({ params, caller, idempotency }) {
      const id = params.id as SigningKeyId;
      const { key, at, effectiveByMs } = await revokeSigningKey(all(), caller, id, idempotency);
      const view = { ...signingKeyView(key), effective_by: new Date(effectiveByMs).toISOString() };
      return placedView(view, at);
    },

    async removeSigningKey({ params, caller, idempotency }) {
      const { key, at } = await removeSigningKey(all(), caller, params.id as SigningKeyId, idempotency);
      return placedView(signingKeyView(key), at);
    },
  };
}
