import type { LiveEnding, LiveFrame } from '@keyswarm/contract';
import { useEffect, useRef } from 'preact/hooks';
import { durationText } from '../../format/numbers.ts';
import { frame } from '../../live/live-store.ts';
import { type LeaseHealth, leaseBounds, leaseHealth } from '../../live/series.ts';
import { Card } from '../../parts/basics.tsx';
import { wantsStillness } from '../../runtime/browser.ts';
import { placesOnRing } from './ring-places.ts';

const centre = 160;
const names: Readonly<Record<LeaseHealth, string>> = {
  fresh: 'fresh',
  aging: 'lease aging',
  stale: 'lease run out',
  fenced: 'fenced',
  starting: 'starting',
};

/** The authority, its verifiers round it in the colour of their leases, and each revocation as it runs out to them. */
export function SwarmPicture() {
  const now = frame.value;
  const newest = now?.endings[0];
  return (
    <Card title="The swarm" aside={<span class="muted">{verifiersWord(now?.verifiers.total ?? 0)}</span>}>
      <div class="swarm-box">
        <svg class="swarm" viewBox="0 0 320 320" role="img" aria-label={describe(now)}>
          <circle class="swarm-orbit" cx={centre} cy={centre} r="112" />
          {now !== undefined && <Nodes now={now} newest={newest} />}
          <Ripple ending={newest} />
          <circle class="swarm-core" cx={centre} cy={centre} r="30" />
          <text class="swarm-core-name" x={centre} y={centre + 4}>
            authority
          </text>
        </svg>
      </div>
      <p class="caption" aria-live="off">
        {newest === undefined ? 'A revocation shows here as it reaches every verifier.' : captionOf(newest)}
      </p>
    </Card>
  );
}

function Nodes({ now, newest }: { readonly now: LiveFrame; readonly newest: LiveEnding | undefined }) {
  const bounds = leaseBounds(now);
  const reached = new Set(newest?.reached.map(({ verifier_id }) => verifier_id));
  return (
    <>
      {placesOnRing(now.verifiers.items, 112).map(({ item, x, y, radius, isNamed, name }) => {
        const health = leaseHealth(item, bounds);
        const share = Math.min(1, (item.lease_age_ms ?? bounds.shortestMs) / bounds.shortestMs);
        const turn = 2 * Math.PI * (radius + 4);
        return (
          <g key={item.id} class={`swarm-node ${health} ${reached.has(item.id) ? 'reached' : ''}`}>
            <line x1={centre} y1={centre} x2={x} y2={y} />
            <circle class="swarm-dot" cx={x} cy={y} r={radius} />
            <circle
              class="swarm-age"
              cx={x}
              cy={y}
              r={radius + 4}
              stroke-dasharray={`${(turn * share).toFixed(1)} ${turn.toFixed(1)}`}
              transform={`rotate(-90 ${x.toFixed(1)} ${y.toFixed(1)})`}
            />
            {isNamed && (
              <text x={name.x} y={name.y}>
                {item.name.length > 14 ? `${item.name.slice(0, 13)}…` : item.name}
              </text>
            )}
          </g>
        );
      })}
    </>
  );
}

/** A ring that runs out once for each new revocation; for those who want stillness the dots alone tell it. */
function Ripple({ ending }: { readonly ending: LiveEnding | undefined }) {
  const ring = useRef<SVGCircleElement>(null);
  const shown = ending === undefined ? undefined : `${ending.subject} ${ending.at}`;
  useEffect(() => {
    if (shown === undefined || wantsStillness()) return;
    ring.current?.animate(
      [
        { r: '30px', opacity: 0.9, strokeWidth: '5px' },
        { r: '112px', opacity: 0.5, strokeWidth: '2px', offset: 0.7 },
        { r: '150px', opacity: 0, strokeWidth: '1px' },
      ],
      { duration: 1100, easing: 'cubic-bezier(0.2, 0.6, 0.3, 1)' },
    );
  }, [shown]);
  return <circle ref={ring} class="swarm-ripple" cx={centre} cy={centre} r="30" />;
}

function captionOf({ type, reached, expected, bound_ms }: LiveEnding): string {
  const what = type.replace('.', ' ').replace('_', ' ');
  if (expected === 0) return `Last: ${what}. No verifier elsewhere had to be told.`;
  const last = Math.max(0, ...reached.map(({ after_ms }) => after_ms));
  const bound = durationText(bound_ms);
  if (reached.length >= expected && last > bound_ms)
    return `Last: ${what}. Nobody accepted it after ${bound}; the last to hear of it had stopped by itself until then.`;
  if (reached.length >= expected)
    return `Last: ${what}, known everywhere after ${durationText(last)}; promised within ${bound}.`;
  return `Last: ${what}, known to ${reached.length} of ${expected} so far; nobody accepts it after ${bound}.`;
}

function describe(now: LiveFrame | undefined): string {
  if (now === undefined) return 'The swarm';
  const bounds = leaseBounds(now);
  const said = now.verifiers.items
    .slice(0, 12)
    .map((one) => `${one.name}: ${names[leaseHealth(one, bounds)]}`);
  return `The swarm. ${said.join(', ')}`;
}

function verifiersWord(total: number): string {
  return total === 1 ? '1 verifier' : `${total} verifiers`;
}
