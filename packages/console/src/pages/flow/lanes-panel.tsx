import { countText, rateText } from '../../format/numbers.ts';
import { frame } from '../../live/live-store.ts';
import { shed } from '../../live/series.ts';
import { Card, Facts } from '../../parts/basics.tsx';

/** Rows that one lane may hold (`laneQueueWeightMax` of the server): past it writes are told to come back. */
const laneRowsMax = 4_000;

/** Where writes wait: a lane a shard; and what is under way. */
export function LanesPanel() {
  const now = frame.value;
  const depths = now?.lanes.depths ?? [];
  return (
    <Card title="Lanes and queues" aside={<span class="muted">rows that wait for their batch</span>}>
      <div class="lanes" role="img" aria-label={`Rows waiting in each lane: ${depths.join(', ')}`}>
        {depths.map((depth, shard) => (
          <div class="lane" key={shard}>
            <span class="lane-bar">
              <span
                class="lane-fill"
                style={{ height: `${Math.min(100, Math.sqrt(depth / laneRowsMax) * 100)}%` }}
              />
            </span>
            <span class="num lane-depth">{depth}</span>
          </div>
        ))}
      </div>
      <Facts
        items={[
          ['Writes a transaction', now === undefined ? '–' : (now.lanes.batch_writes || 0).toFixed(1)],
          ['Verifications under way', countText(now?.in_flight.verifications ?? 0)],
          ['Changes and reads under way', countText(now?.in_flight.mutations ?? 0)],
          ['Turned away', `${rateText(now === undefined ? 0 : shed(now))}/s`],
          ['Versions in memory', countText(now?.versions ?? 0)],
          ['Rows not applied here yet', countText(now?.feed_lag_rows ?? 0)],
        ]}
      />
    </Card>
  );
}
