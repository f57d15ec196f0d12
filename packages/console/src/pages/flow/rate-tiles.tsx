import type { LiveFrame } from '@keyswarm/contract';
import { durationText, rateText } from '../../format/numbers.ts';
import { frames, framesKept } from '../../live/live-store.ts';
import { issued, revoked, rotated, shed, verifications } from '../../live/series.ts';
import { Sparkline } from '../../parts/sparkline.tsx';

interface Tile {
  readonly name: string;
  readonly tone: string;
  readonly value: (frame: LiveFrame) => number;
  readonly latency?: 'verify' | 'issue' | 'rotate' | 'revoke';
}

const tiles: readonly Tile[] = [
  { name: 'Verified', tone: 'verify', value: verifications, latency: 'verify' },
  { name: 'Issued', tone: 'issue', value: issued, latency: 'issue' },
  { name: 'Rotated', tone: 'rotate', value: rotated, latency: 'rotate' },
  { name: 'Revoked', tone: 'revoke', value: revoked, latency: 'revoke' },
  { name: 'Turned away', tone: 'shed', value: shed },
];

/** Five rates, each with its last two minutes. */
export function RateTiles() {
  const all = frames.value;
  const now = all.at(-1);
  return (
    <div class="tiles">
      {tiles.map(({ name, tone, value, latency }) => {
        const quantiles = latency === undefined ? null : (now?.latency[latency] ?? null);
        return (
          <section key={name} class={`tile ${tone}`} aria-label={name}>
            <h2>{name}</h2>
            <p class="tile-figure">
              <span class="figure" data-rate={tone}>
                {now === undefined ? '–' : rateText(value(now))}
              </span>
              <span class="unit">/ s</span>
            </p>
            <Sparkline values={all.map(value)} kept={framesKept} />
            <p class="tile-foot">
              {latency === undefined
                ? 'at the door'
                : footOf(
                    quantiles,
                    all.slice(-timedFrames).some((one) => value(one) > 0),
                  )}
            </p>
          </section>
        );
      })}
    </div>
  );
}

/** How many frames are in the ten seconds that latencies are of; a frame comes each second. */
const timedFrames = 10;

/** What was counted is told by the feed, of all servers and ways; what was timed was asked of this one, key by key. */
function footOf(quantiles: LiveFrame['latency']['verify'], isCounted: boolean): string {
  if (quantiles !== null)
    return `p50 ${durationText(quantiles.p50_ms)} · p99 ${durationText(quantiles.p99_ms)}`;
  return isCounted ? 'not timed here: in bulk, or by another server' : 'none in the last 10 s';
}
