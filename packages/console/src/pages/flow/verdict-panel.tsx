import { percentText, rateText } from '../../format/numbers.ts';
import { frame } from '../../live/live-store.ts';
import { verifications } from '../../live/series.ts';
import { Card } from '../../parts/basics.tsx';
import { VerdictChart } from './verdict-chart.tsx';

/** Verdicts and what they mean, in a few words. */
const meanings: Readonly<Record<string, string>> = {
  valid: 'valid',
  malformed: 'not a key',
  unknown: 'unknown',
  not_yet_valid: 'not valid yet',
  expired: 'expired',
  revoked: 'revoked',
  suspended: 'suspended',
  insufficient_scope: 'lacks a scope',
  wrong_keyspace: 'other keyspace',
  signature_required: 'unsigned',
  signature_invalid: 'bad signature',
  replayed: 'replayed',
  rate_limited: 'rate limited',
  stale: 'no verdict (503 stale)',
};

export function VerdictPanel() {
  const now = frame.value;
  const verdicts = Object.entries(now?.verdicts ?? {}).sort(([, a], [, b]) => b - a);
  const all = now === undefined ? 0 : verifications(now);
  const workers = now?.workers ?? 1;
  return (
    <Card
      title="Verifications by verdict"
      aside={
        <span class="muted">
          {workers === 1 ? 'answered by this server' : `${workers} workers`}, last 2 min
        </span>
      }
    >
      <VerdictChart />
      <ul class="verdicts">
        {verdicts.length === 0 && <li class="muted">No verification in the last second.</li>}
        {verdicts.map(([verdict, rate]) => (
          <li key={verdict}>
            <span class={`swatch ${toneOf(verdict)}`} aria-hidden="true" />
            <span>{meanings[verdict] ?? verdict}</span>
            <span class="num">{rateText(rate)}/s</span>
            <span class="num muted">{percentText(all === 0 ? 0 : rate / all)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function toneOf(verdict: string): string {
  if (verdict === 'valid') return 'verify';
  return verdict === 'stale' ? 'stale' : 'revoke';
}
