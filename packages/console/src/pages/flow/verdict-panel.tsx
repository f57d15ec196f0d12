import { percentText, rateText } from '../../format/numbers.ts';
import { frame } from '../../live/live-store.ts';
import { verifications } from '../../live/series.ts';
import { Card } from '../../parts/basics.tsx';
import { VerdictChart } from './verdict-chart.tsx';
import { styleOf, type VerdictStyle, verdictStyles } from './verdict-styles.ts';

export function VerdictPanel() {
  const now = frame.value;
  const rates = now?.verdicts ?? {};
  const all = now === undefined ? 0 : verifications(now);
  const workers = now?.workers ?? 1;
  const shown = inOrder(Object.keys(rates));
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
      <ul class="verdicts" aria-label="Verdicts, as they lie in the chart from above">
        {shown.length === 0 && <li class="muted">No verification in the last second.</li>}
        {shown.map((one) => (
          <li key={one.verdict}>
            <Sample of={one} />
            <span>{one.meaning}</span>
            <span class="num">{rateText(rates[one.verdict] ?? 0)}/s</span>
            <span class="num muted">{percentText(all === 0 ? 0 : (rates[one.verdict] ?? 0) / all)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** As the layers lie, the uppermost first: so a name is found by its place as well. */
function inOrder(verdicts: readonly string[]): readonly VerdictStyle[] {
  const layers = new Map(verdictStyles.map(({ verdict }, layer) => [verdict, layer]));
  const layerOf = (verdict: string): number => layers.get(verdict) ?? -1;
  return verdicts.toSorted((a, b) => layerOf(b) - layerOf(a)).map(styleOf);
}

/** A piece of the line that the chart draws. */
function Sample({ of: { colour, dash } }: { readonly of: VerdictStyle }) {
  return (
    <svg class="sample" viewBox="0 0 30 12" aria-hidden="true" style={{ color: `var(--${colour})` }}>
      <rect width="30" height="12" rx="3" class="sample-ground" />
      <line x1="1" y1="6" x2="29" y2="6" stroke-dasharray={dash.length === 0 ? undefined : dash.join(' ')} />
    </svg>
  );
}
