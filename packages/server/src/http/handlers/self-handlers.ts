import { placedView, renewedView, revokedKeyView, selfView } from '@keyswarm/contract';
import { assert, renewWindowOf } from '@keyswarm/core';
import { renewOwnKey } from '../../holders/renew-own-key.ts';
import { revokeOwnKey } from '../../holders/revoke-own-key.ts';
import type { HandlerServices, HolderHandlers } from '../handler.ts';
import { endedReply } from './ended-reply.ts';

/** What the holder of a key asks about it and does to it. */
export function selfHandlers({
  ports,
  metrics,
}: HandlerServices): HolderHandlers<'getSelf' | 'renewSelf' | 'revokeSelf'> {
  const { clock } = ports;
  return {
    getSelf({ holder: { verdict, mintedAtMs } }) {
      assert(verdict !== null, 'only a valid key is shown to its holder');
      // Of a version in grace the next one is there: what its holder asks for then is another secret for that one.
      if (verdict.rotation !== null) return selfView(verdict, null);
      const { keyId, version: number, expiresAtMs, renewAfterMs: askedFromMs } = verdict;
      return selfView(verdict, renewWindowOf({ keyId, number, mintedAtMs, expiresAtMs, askedFromMs }));
    },

    async renewSelf({ holder, idempotency }) {
      const startedMs = clock.monotonicMs();
      const { key, secret, previousNumber, at } = await renewOwnKey(ports, holder, idempotency);
      metrics.issuance('rotate', clock.monotonicMs() - startedMs);
      return placedView(renewedView(key, secret, previousNumber), at);
    },

    async revokeSelf(call) {
      const { holder, body, idempotency } = call;
      const ended = await revokeOwnKey(ports, holder, body, idempotency);
      const view = revokedKeyView(ended.key, ended.effectiveByMs);
      return endedReply(ports, { ...call, caller: holder }, ended, view);
    },
  };
}
