import type { Client } from '@keyswarm/sdk';
import { useLoad } from '../../parts/use-load.ts';
import { usePoll } from '../../parts/use-poll.ts';
import { errorWords, isFailing } from '../webhook-words.ts';

const pollMs = 10_000;

/** Webhooks that take nothing or were disabled for it; nothing where all is well, or where one may not see them. */
export function WebhooksNote({ client }: { readonly client: Client }) {
  const [load, again] = useLoad(
    (signal) =>
      client
        .call('listWebhooks', { query: { limit: '200' } }, { signal, attemptsMax: 1 })
        .then(({ items }) => items)
        .catch(() => []),
    [client],
  );
  usePoll(pollMs, again);
  const all = load.state === 'loaded' ? load.value : [];
  const failing = all.filter(isFailing);
  const ended = all.filter(({ disabled_reason: why }) => why === 'failing' || why === 'gone');
  const [first] = failing;
  if (failing.length + ended.length === 0) return null;
  const parts = [
    ...(first === undefined
      ? []
      : [
          failing.length === 1
            ? `A webhook takes no events: ${errorWords(first.delivery?.last_error ?? null)}.`
            : `${failing.length} webhooks take no events.`,
        ]),
    ...(ended.length === 0
      ? []
      : [`${ended.length} ${ended.length === 1 ? 'was' : 'were'} disabled for it.`]),
  ];
  return (
    <div class="note warn" role="status">
      <span>{parts.join(' ')} What happens meanwhile is kept for three days.</span>
      <a href="#/webhooks">Look at the webhooks</a>
    </div>
  );
}
