import type { LiveFrame } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { percentText, rateText } from '../../format/numbers.ts';
import { frame, isLive } from '../../live/live-store.ts';
import { leaseBounds, leaseHealth, refused, shed, verifications } from '../../live/series.ts';
import { Badge } from '../../parts/basics.tsx';
import { PageHead } from '../../parts/shell.tsx';
import { CampaignsPanel } from './campaigns-panel.tsx';
import { DemoPanel } from './demo-panel.tsx';
import { EndingsPanel } from './endings-panel.tsx';
import { LanesPanel } from './lanes-panel.tsx';
import { LatencyPanel } from './latency-panel.tsx';
import { LeasePanel } from './lease-panel.tsx';
import { RateTiles } from './rate-tiles.tsx';
import { SwarmPicture } from './swarm-picture.tsx';
import { VerdictPanel } from './verdict-panel.tsx';
import { WebhooksNote } from './webhooks-note.tsx';

/** What happens now: in one sentence, in five figures, in pictures, and then in detail. */
export function FlowPage({ client }: { readonly client: Client }) {
  const now = frame.value;
  return (
    <div class="flow">
      <PageHead
        title="Flow"
        lead={now === undefined ? 'Waiting for the first figures …' : <Summary now={now} />}
      >
        <Badge tone={isLive.value ? 'ok' : 'danger'}>{isLive.value ? 'Live' : 'Not live'}</Badge>
      </PageHead>
      {now !== undefined && <DemoPanel client={client} demo={now.demo} />}
      <WebhooksNote client={client} />
      <RateTiles />
      <div class="grid wide-left">
        <VerdictPanel />
        <SwarmPicture />
      </div>
      <div class="grid halves">
        <EndingsPanel />
        <LeasePanel />
      </div>
      <CampaignsPanel client={client} />
      <div class="grid halves">
        <LatencyPanel />
        <LanesPanel />
      </div>
    </div>
  );
}

function Summary({ now }: { readonly now: LiveFrame }) {
  const all = verifications(now);
  const bounds = leaseBounds(now);
  const troubled = now.verifiers.items.filter((one) => {
    const health = leaseHealth(one, bounds);
    return health === 'stale' || health === 'fenced';
  });
  const parts = [
    all === 0
      ? 'No verifications'
      : `${rateText(all)} verifications a second, ${percentText(refused(now) / all)} refused`,
    verifiersText(now.verifiers.total, troubled.length),
    shed(now) > 0 ? `${rateText(shed(now))} requests a second turned away` : 'nothing turned away',
  ];
  return <>{parts.join(' · ')}</>;
}

function verifiersText(total: number, troubled: number): string {
  const noun = total === 1 ? 'verifier' : 'verifiers';
  if (troubled === 0) return total === 1 ? '1 verifier, fresh' : `${total} ${noun}, all fresh`;
  return `${troubled} of ${total} ${noun} not fresh`;
}
