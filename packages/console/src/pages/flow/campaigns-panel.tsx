import type { Client } from '@keyswarm/sdk';
import { Card } from '../../parts/basics.tsx';
import { useLoad } from '../../parts/use-load.ts';
import { usePoll } from '../../parts/use-poll.ts';
import { type Campaign, CampaignProgress } from '../campaigns-page.tsx';

const pollMs = 2_000;

/** Campaigns that run, and the last that did; nothing where there is none, or where one may not see them. */
export function CampaignsPanel({ client }: { readonly client: Client }) {
  const [campaigns, again] = useLoad(
    (signal) => client.campaigns.list({ limit: 50 }, { signal, attemptsMax: 1 }).page(),
    [client],
  );
  usePoll(pollMs, again);
  const all: readonly Campaign[] = campaigns.state === 'loaded' ? campaigns.value.items : [];
  const shown = all.filter(({ state }) => state !== 'finished' && state !== 'aborted').concat(all.slice(-1));
  const unique = [...new Map(shown.map((campaign) => [campaign.id, campaign])).values()].slice(0, 3);
  if (unique.length === 0) return null;
  return (
    <Card title="Campaigns" class="spaced" aside={<a href="#/campaigns">all</a>}>
      <ul class="campaigns">
        {unique.map((campaign) => (
          <li key={campaign.id}>
            <p class="campaign-name">
              <strong>{campaign.name === '' ? campaign.kind : campaign.name}</strong>
              <span class="muted">{campaign.state}</span>
            </p>
            <CampaignProgress campaign={campaign} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
