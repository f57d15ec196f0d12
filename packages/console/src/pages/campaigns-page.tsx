import type { ReplyOf } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { countText, ofText, progressPercent, rateText } from '../format/numbers.ts';
import { agoText, instantText } from '../format/times.ts';
import { Badge, Empty, Problem, type Tone } from '../parts/basics.tsx';
import { PageHead } from '../parts/shell.tsx';
import { useAction } from '../parts/use-action.ts';
import { useLoad } from '../parts/use-load.ts';
import { usePoll } from '../parts/use-poll.ts';
import { nowMs } from '../runtime/browser.ts';

export type Campaign = ReplyOf<'getCampaign'>;

const tones: Readonly<Record<Campaign['state'], Tone>> = {
  running: 'accent',
  paused: 'warn',
  finishing: 'accent',
  finished: 'ok',
  aborted: 'danger',
};
const pollMs = 2_000;

/** Bulk rotations and revocations: how far each is, how fast it goes, and the three ways to stop it. */
export function CampaignsPage({ client }: { readonly client: Client }) {
  const [campaigns, again] = useLoad(
    async (signal) => (await client.campaigns.list({ limit: 50 }, { signal }).page()).items.toReversed(),
    [client],
  );
  usePoll(pollMs, again);
  return (
    <>
      <PageHead
        title="Campaigns"
        lead="Rotations and revocations in bulk: a sample first, paced by how verifications fare. Begun by the command or the API."
      />
      {campaigns.state === 'failed' && <Problem text={campaigns.why} again={again} />}
      {campaigns.state === 'loading' && <p class="muted">Looking …</p>}
      {campaigns.state === 'loaded' && campaigns.value.length === 0 && (
        <Empty title="No campaign yet">
          <span class="mono">keyswarm campaign rotate --keyspace orders-live</span> begins one.
        </Empty>
      )}
      {campaigns.state === 'loaded' && (
        <ul class="rows">
          {campaigns.value.map((campaign) => (
            <CampaignRow key={campaign.id} client={client} campaign={campaign} onChanged={again} />
          ))}
        </ul>
      )}
    </>
  );
}

export function CampaignRow(props: {
  readonly client: Client;
  readonly campaign: Campaign;
  readonly onChanged: () => void;
}) {
  const { client, campaign, onChanged } = props;
  const { id, kind, name, state, started_at, ended_at } = campaign;
  const { isBusy, problem, run } = useAction();
  const act = (what: 'pause' | 'resume' | 'abort') => () =>
    void run(async () => {
      await client.campaigns[what](id);
      onChanged();
    });
  return (
    <li class="row">
      <div class="row-main grow">
        <p>
          <strong>{name === '' ? `${kind} campaign` : name}</strong>{' '}
          <Badge tone={tones[state]}>{state}</Badge>
        </p>
        <CampaignProgress campaign={campaign} />
        <p class="muted small">
          {kind}, began {agoText(started_at, nowMs())}
          {ended_at === null ? '' : `, ended ${instantText(ended_at)}`}
          {campaign.eta !== null && ended_at === null ? `, to be done ${agoText(campaign.eta, nowMs())}` : ''}
          {campaign.pace.throttled_by === null
            ? ''
            : `, slowed by ${campaign.pace.throttled_by.replace('_', ' ')}`}
        </p>
        {problem !== undefined && <Problem text={problem} />}
      </div>
      <div class="row-actions">
        {state === 'running' && (
          <button type="button" class="button small" disabled={isBusy} onClick={act('pause')}>
            Pause
          </button>
        )}
        {state === 'paused' && (
          <button type="button" class="button small" disabled={isBusy} onClick={act('resume')}>
            Resume
          </button>
        )}
        {(state === 'running' || state === 'paused') && (
          <button type="button" class="button small danger" disabled={isBusy} onClick={act('abort')}>
            Abort
          </button>
        )}
      </div>
    </li>
  );
}

/** Of what was matched: asked or revoked, and of that what its holders have renewed. */
export function CampaignProgress({ campaign }: { readonly campaign: Campaign }) {
  const { kind, progress, pace, canary } = campaign;
  const { selected, taken, renewed, open } = progress;
  const share = (count: number): string => `${progressPercent(count, Math.max(1, selected)).toFixed(1)}%`;
  const done = kind === 'rotate' ? `${countText(renewed)} renewed, ${countText(open)} still to` : '';
  return (
    <>
      <div class="progress" role="img" aria-label={`${taken} of ${selected} taken, ${renewed} renewed`}>
        <span class="progress-taken" style={{ width: share(taken) }} />
        <span class="progress-done" style={{ width: share(kind === 'rotate' ? renewed : taken) }} />
      </div>
      <p class="small num">
        {ofText(taken, selected)} {kind === 'rotate' ? 'asked' : 'revoked'}
        {done === '' ? '' : ` · ${done}`}
        {progress.skipped_suspended > 0 &&
          ` · ${countText(progress.skipped_suspended)} left: owner suspended`}
        {campaign.state === 'running' &&
          ` · stage ${canary.stage}, ${rateText(pace.now)} a second at the most`}
      </p>
    </>
  );
}
