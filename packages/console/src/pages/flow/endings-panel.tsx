import type { LiveEnding } from '@keyswarm/contract';
import { durationText } from '../../format/numbers.ts';
import { agoText } from '../../format/times.ts';
import { frame } from '../../live/live-store.ts';
import { Card, Empty, Id } from '../../parts/basics.tsx';
import { shareOnLogScale } from './log-scale.ts';

const shownMax = 5;

/** Each revocation with the instant at which every verifier had it, on a scale that ends at the bound. */
export function EndingsPanel() {
  const now = frame.value;
  const endings = now?.endings.slice(0, shownMax) ?? [];
  return (
    <Card
      title="Revocations, as they spread"
      aside={<span class="muted">a dot a verifier; the bar is the bound</span>}
    >
      {endings.length === 0 || now === undefined ? (
        <Empty title="None since this page was opened">
          When a key is revoked, or an owner suspended, you see here how long it took to reach each verifier,
          and by when nobody can accept it any more.
        </Empty>
      ) : (
        <ol class="endings">
          {endings.map((ending) => (
            <Row key={`${ending.subject} ${ending.at}`} ending={ending} nowMs={Date.parse(now.at)} />
          ))}
          <li class="endings-scale" aria-hidden="true">
            <span>1 ms</span>
            <span>10 ms</span>
            <span>100 ms</span>
            <span>1 s</span>
            <span>bound</span>
          </li>
        </ol>
      )}
    </Card>
  );
}

function Row({ ending, nowMs }: { readonly ending: LiveEnding; readonly nowMs: number }) {
  const { subject, type, at, reached, expected, bound_ms } = ending;
  const isWhole = reached.length >= expected;
  const last = Math.max(0, ...reached.map(({ after_ms }) => after_ms));
  const isOver = nowMs - Date.parse(at) > bound_ms;
  return (
    <li class="ending">
      <div class="ending-head">
        <Id id={subject} {...(subject.startsWith('key_') ? { href: `#/keys/${subject}` } : {})} />
        <span class="muted">
          {type.split('.')[1]?.replace('_', ' ')} {agoText(at, nowMs)}
        </span>
        <span class="num ending-time">
          {expected === 0 ? 'here only' : isWhole ? durationText(last) : `${reached.length} of ${expected}`}
        </span>
      </div>
      <svg class="track" viewBox="0 0 400 14" preserveAspectRatio="none" aria-hidden="true">
        <line class="track-line" x1="0" y1="7" x2="396" y2="7" />
        <line class={isOver ? 'track-bound over' : 'track-bound'} x1="397" y1="1" x2="397" y2="13" />
      </svg>
      <div class="track-dots" aria-hidden="true">
        {reached.map(({ verifier_id, name, after_ms }) => (
          <span
            key={verifier_id}
            class="track-dot"
            title={`${name} after ${durationText(after_ms)}`}
            style={{ left: `${(shareOnLogScale(after_ms, bound_ms) * 99).toFixed(2)}%` }}
          />
        ))}
      </div>
      {!isWhole && (
        <p class="ending-note">
          {isOver
            ? `${expected - reached.length} not heard of: past the bound of ${durationText(bound_ms)} its lease has run out, so it accepts nothing`
            : `${expected - reached.length} not heard of yet; fenced at the latest ${durationText(bound_ms)} after it`}
        </p>
      )}
    </li>
  );
}
