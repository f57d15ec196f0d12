import type { LiveFrame } from '@keyswarm/contract';
import { countText, durationText } from '../../format/numbers.ts';
import { frame } from '../../live/live-store.ts';
import { type LeaseHealth, leaseBounds, leaseHealth } from '../../live/series.ts';
import { Badge, Card, Empty, type Tone } from '../../parts/basics.tsx';

type Verifier = LiveFrame['verifiers']['items'][number];

export const tones: Readonly<Record<LeaseHealth, Tone>> = {
  fresh: 'ok',
  aging: 'warn',
  stale: 'danger',
  fenced: 'danger',
  starting: 'idle',
};
export const words: Readonly<Record<LeaseHealth, string>> = {
  fresh: 'fresh',
  aging: 'aging',
  stale: 'stale',
  fenced: 'fenced',
  starting: 'starting',
};

const shownMax = 8;

/** Each verifier with the age of its lease, against the leases of the keyspaces that it may have to stop serving. */
export function LeasePanel() {
  const now = frame.value;
  if (now === undefined) return <Card title="Verifiers">{<Empty title="Waiting …" />}</Card>;
  const worst = now.verifiers.items.toSorted((a, b) => (b.lease_age_ms ?? 0) - (a.lease_age_ms ?? 0));
  return (
    <Card
      title="Verifiers and their leases"
      aside={
        <a href="#/verifiers" class="muted">
          all {now.verifiers.total}
        </a>
      }
    >
      <ul class="leases">
        {(now.verifiers.items.length > shownMax ? worst : now.verifiers.items)
          .slice(0, shownMax)
          .map((one) => (
            <LeaseRow key={one.id} verifier={one} now={now} />
          ))}
      </ul>
    </Card>
  );
}

export function LeaseRow({ verifier, now }: { readonly verifier: Verifier; readonly now: LiveFrame }) {
  const bounds = leaseBounds(now);
  const health = leaseHealth(verifier, bounds);
  const ageMs = verifier.lease_age_ms;
  const share = Math.min(1, (ageMs ?? 0) / bounds.shortestMs);
  const first =
    now.keyspaces.find(({ lease_ms }) => lease_ms === bounds.shortestMs)?.name ?? 'the shortest lease';
  return (
    <li class={`lease ${health}`}>
      <div class="lease-head">
        <strong>{verifier.name}</strong>
        <span class="muted">
          {[verifier.kind, verifier.region].filter((part) => part !== null).join(' · ')}
        </span>
        <Badge tone={tones[health]}>{words[health]}</Badge>
      </div>
      <div
        class="meter"
        role="img"
        aria-label={`${verifier.name}: ${ageMs === null ? 'no lease' : `proved ${durationText(ageMs)} ago`}`}
      >
        <span class="meter-fill" style={{ width: `${(share * 100).toFixed(1)}%` }} />
        <span class="meter-half" />
      </div>
      <div class="lease-foot">
        <span class="num">{ageMs === null ? 'no lease' : `proved ${durationText(ageMs)} ago`}</span>
        <span class="muted">
          {ageMs !== null && ageMs > bounds.shortestMs
            ? `answers 503 stale for ${first} (${durationText(bounds.shortestMs)})`
            : `of ${durationText(bounds.shortestMs)} (${first})`}
        </span>
        <span class="num muted lease-behind">
          {verifier.rows_behind === null
            ? ''
            : verifier.rows_behind === 0
              ? 'up to date'
              : `${countText(verifier.rows_behind)} behind`}
        </span>
      </div>
    </li>
  );
}
