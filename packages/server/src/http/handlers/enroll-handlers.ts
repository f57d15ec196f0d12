import { issuedKeyView, placedView } from '@keyswarm/contract';
import { exchangeKey } from '../../holders/exchange-key.ts';
import type { HandlerServices, HolderHandlers } from '../handler.ts';

/** What is done with an enrollment key. */
export function enrollHandlers({ ports, metrics }: HandlerServices): HolderHandlers<'enrollKey'> {
  const { clock } = ports;
  return {
    async enrollKey({ body, holder, idempotency }) {
      const startedMs = clock.monotonicMs();
      const { owner, name, scopes, claims } = body;
      const wish = {
        owner: owner && { kind: owner.kind, externalId: owner.external_id },
        name,
        scopes,
        claims: claims ?? {},
      };
      const { key, secret, at } = await exchangeKey(ports, holder, wish, idempotency);
      metrics.issuance('single', clock.monotonicMs() - startedMs);
      return placedView(issuedKeyView(key, secret), at);
    },
  };
}
