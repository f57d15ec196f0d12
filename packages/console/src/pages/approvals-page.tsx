import type { ApprovalReply } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { useState } from 'preact/hooks';
import { agoText } from '../format/times.ts';
import { Badge, Empty, Id, Problem, type Tone } from '../parts/basics.tsx';
import { PageHead } from '../parts/shell.tsx';
import { useAction } from '../parts/use-action.ts';
import { useLoad } from '../parts/use-load.ts';
import { nowMs } from '../runtime/browser.ts';
import { SaidProblem } from '../session/session.ts';

const tones: Readonly<Record<string, Tone>> = { pending: 'accent', approved: 'ok', denied: 'danger' };

/** Keys that a second manager has to agree to. What one asked for oneself is not to be decided here, says the server. */
export function ApprovalsPage({ client }: { readonly client: Client }) {
  const [onlyOpen, setOnlyOpen] = useState(true);
  const [approvals, again] = useLoad(
    async (signal) => (await client.approvals.list({ limit: 50 }, { signal }).page()).items,
    [client],
  );
  const { isBusy, problem, run } = useAction();
  const decide = (id: string, decision: 'approve' | 'deny'): void =>
    void run(async () => {
      const { results } = await client.approvals.decide({ ids: [id], decision });
      const refusal = results[0]?.error;
      again();
      if (refusal !== undefined) throw new SaidProblem(refusal.detail);
    });
  const shown =
    approvals.state === 'loaded'
      ? approvals.value.filter(({ state }) => !onlyOpen || state === 'pending')
      : [];
  return (
    <>
      <PageHead title="Approvals" lead="Keys that were asked for and wait for a second manager.">
        <label class="check">
          <input
            type="checkbox"
            checked={onlyOpen}
            onChange={(event) => setOnlyOpen(event.currentTarget.checked)}
          />
          <span>Only those that wait</span>
        </label>
      </PageHead>
      {problem !== undefined && <Problem text={problem} />}
      {approvals.state === 'failed' && <Problem text={approvals.why} again={again} />}
      {approvals.state === 'loaded' && shown.length === 0 && (
        <Empty title="Nothing waits">Where a keyspace asks for a second manager, requests show here.</Empty>
      )}
      <ul class="rows">
        {shown.map((approval) => (
          <Row key={approval.id} approval={approval} isBusy={isBusy} onDecide={decide} />
        ))}
      </ul>
    </>
  );
}

function Row(props: {
  readonly approval: ApprovalReply;
  readonly isBusy: boolean;
  readonly onDecide: (id: string, decision: 'approve' | 'deny') => void;
}) {
  const { approval, isBusy, onDecide } = props;
  const { id, state, owner, name, scopes, reason, requested_at, waits_until, requested_by } = approval;
  return (
    <li class="row">
      <div class="row-main">
        <p>
          <strong>{name === '' ? `${owner.kind} ${owner.external_id}` : name}</strong>{' '}
          <Badge tone={tones[state] ?? 'idle'}>{state}</Badge>
        </p>
        <p class="mono small">{scopes.join(' ')}</p>
        {reason !== '' && <p>{reason}</p>}
        <p class="muted">
          asked {agoText(requested_at, nowMs())} by <Id id={requested_by} />, waits until{' '}
          {agoText(waits_until, nowMs())}
        </p>
      </div>
      {state === 'pending' && (
        <div class="row-actions">
          <button
            type="button"
            class="button primary small"
            disabled={isBusy}
            onClick={() => onDecide(id, 'approve')}
          >
            Approve
          </button>
          <button type="button" class="button small" disabled={isBusy} onClick={() => onDecide(id, 'deny')}>
            Deny
          </button>
        </div>
      )}
    </li>
  );
}
