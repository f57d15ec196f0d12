import type { DeadLetterReply, WebhookReply } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { countText, durationText } from '../format/numbers.ts';
import { agoText, instantText } from '../format/times.ts';
import { Badge, Empty, Problem } from '../parts/basics.tsx';
import { PageHead } from '../parts/shell.tsx';
import { useAction } from '../parts/use-action.ts';
import { useLoad } from '../parts/use-load.ts';
import { usePoll } from '../parts/use-poll.ts';
import { nowMs } from '../runtime/browser.ts';
import { errorWords, isFailing } from './webhook-words.ts';

const pollMs = 5_000;

/** Where events are sent, and what nobody would take. */
export function WebhooksPage({ client }: { readonly client: Client }) {
  const [webhooks, again] = useLoad((signal) => client.call('listWebhooks', {}, { signal }), [client]);
  usePoll(pollMs, again);
  const [letters, askLetters] = useLoad((signal) => client.call('listDeadLetters', {}, { signal }), [client]);
  return (
    <>
      <PageHead
        title="Webhooks"
        lead="Events as they are sent out, signed; what was not taken at any attempt lies below."
      />
      {webhooks.state === 'failed' && <Problem text={webhooks.why} again={again} />}
      {webhooks.state === 'loaded' && webhooks.value.items.length === 0 && (
        <Empty title="No webhook yet">One is made by the command or the API; its secret is shown once.</Empty>
      )}
      {webhooks.state === 'loaded' && (
        <ul class="rows">
          {webhooks.value.items.map((webhook) => (
            <Webhook key={webhook.id} client={client} webhook={webhook} onChanged={again} />
          ))}
        </ul>
      )}
      <h2 class="section">Dead letters</h2>
      {letters.state === 'failed' && <Problem text={letters.why} again={askLetters} />}
      {letters.state === 'loaded' && letters.value.items.length === 0 && (
        <Empty title="Nothing was given up" />
      )}
      {letters.state === 'loaded' && (
        <ul class="rows">
          {letters.value.items.map((letter) => (
            <DeadLetter key={letter.id} client={client} letter={letter} onChanged={askLetters} />
          ))}
        </ul>
      )}
    </>
  );
}

function Webhook(props: {
  readonly client: Client;
  readonly webhook: WebhookReply;
  readonly onChanged: () => void;
}) {
  const { client, webhook, onChanged } = props;
  const { id, url, description, state, types, disabled_reason } = webhook;
  const { isBusy, problem, run } = useAction();
  const next = state === 'active' ? 'disabled' : 'active';
  return (
    <li class="row">
      <div class="row-main">
        <p>
          <strong class="mono">{url}</strong> <Badge tone={state === 'active' ? 'ok' : 'warn'}>{state}</Badge>{' '}
          {isFailing(webhook) && <Badge tone="warn">failing</Badge>}
        </p>
        <DeliveryText webhook={webhook} />
        {description !== '' && <p>{description}</p>}
        <p class="muted small">
          {types === null ? 'every event' : types.join(', ')}
          {disabled_reason === null ? '' : `, disabled: ${disabled_reason}`}
        </p>
        {problem !== undefined && <Problem text={problem} />}
      </div>
      <button
        type="button"
        class="button small"
        disabled={isBusy}
        onClick={() =>
          void run(async () => {
            await client.call('updateWebhook', { params: { id }, body: { state: next } });
            onChanged();
          })
        }
      >
        {state === 'active' ? 'Disable' : 'Go on'}
      </button>
    </li>
  );
}

function retryText(retryAt: string | null): string {
  if (retryAt === null) return '';
  const leftMs = Date.parse(retryAt) - nowMs();
  return leftMs > 0 ? `; the next attempt comes in ${durationText(leftMs)}` : '; the next attempt is due';
}

/** How it is served, in a sentence. */
function DeliveryText({ webhook: { delivery } }: { readonly webhook: WebhookReply }) {
  if (delivery === undefined) return null;
  const { failing_since: since, attempts, last_error, retry_at, waiting_at_most: waiting } = delivery;
  const behind =
    waiting === 0
      ? 'nothing waits'
      : waiting === 1
        ? 'a change waits'
        : `up to ${countText(waiting)} changes wait`;
  if (since === null) return <p class="small">{waiting === 0 ? 'Up to date.' : `Being sent: ${behind}.`}</p>;
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} at the next event`;
  return (
    <p class="note warn" role="status">
      <span>
        Takes nothing since {instantText(since)}: <strong>{errorWords(last_error)}</strong>, {tries}, {behind}
        {retryText(retry_at)}.
      </span>
    </p>
  );
}

function DeadLetter(props: {
  readonly client: Client;
  readonly letter: DeadLetterReply;
  readonly onChanged: () => void;
}) {
  const { client, letter, onChanged } = props;
  const { id, kind, source, reason, attempts, died_at, body } = letter;
  const { isBusy, problem, run } = useAction();
  const act = (operation: 'replayDeadLetter' | 'discardDeadLetter') => () =>
    void run(async () => {
      await client.call(operation, { params: { id } });
      onChanged();
    });
  return (
    <li class="row">
      <div class="row-main grow">
        <details>
          <summary>
            {kind} for <span class="mono">{source}</span>, {attempts} attempts, {agoText(died_at, nowMs())}
          </summary>
          <pre class="mono">{JSON.stringify(body, null, 2)}</pre>
        </details>
        <p class="muted">{reason}</p>
        {problem !== undefined && <Problem text={problem} />}
      </div>
      <div class="row-actions">
        <button type="button" class="button small" disabled={isBusy} onClick={act('replayDeadLetter')}>
          Send again
        </button>
        <button type="button" class="button small" disabled={isBusy} onClick={act('discardDeadLetter')}>
          Discard
        </button>
      </div>
    </li>
  );
}
