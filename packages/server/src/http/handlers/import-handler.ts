import { importedHashOf, importedKeyView, placedView, refusedItemView } from '@keyswarm/contract';
import { importKeys } from '../../keys/import-keys.ts';
import type { HandlerServices, Handlers } from '../handler.ts';
import { faultOfRefusal, termsOf, termsOrFault } from './key-handlers.ts';

export function importHandler({ ports, metrics }: HandlerServices): Handlers<'importKeys'> {
  const { clock } = ports;
  return {
    async importKeys({ body, caller, idempotency }) {
      const startedMs = clock.monotonicMs();
      const items = body.keys.map((item) =>
        termsOrFault(() => ({
          ...termsOf(item),
          fingerprint: importedHashOf(item.hash, '/hash/value'),
          format:
            item.hash.format === 'prefixed-api-key' ? ('prefixed_api_key' as const) : ('sha256' as const),
        })),
      );
      const results = await importKeys(ports, caller, items, idempotency);
      metrics.issuance('import', clock.monotonicMs() - startedMs);
      return {
        results: results.map((result) =>
          'imported' in result
            ? placedView(importedKeyView(result.imported), result.at)
            : refusedItemView(faultOfRefusal(result.refused)),
        ),
      };
    },
  };
}
