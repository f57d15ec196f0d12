import { durationText } from '../../format/numbers.ts';
import { frame } from '../../live/live-store.ts';
import { Card } from '../../parts/basics.tsx';
import { shareOnLogScale } from './log-scale.ts';

const rows = [
  ['verify', 'Verify', 'one key over HTTP'],
  ['issue', 'Issue', 'durable when answered'],
  ['rotate', 'Rotate', ''],
  ['revoke', 'Revoke', ''],
  ['commit', 'Commit', 'one transaction of a lane'],
] as const;

const scaleMs = 10_000;

/** Half, nine of ten and ninety-nine of a hundred, of the last ten seconds, on one scale for all. */
export function LatencyPanel() {
  const now = frame.value;
  return (
    <Card title="Latency" aside={<span class="muted">last 10 s</span>}>
      <table class="table tight">
        <thead>
          <tr>
            <th scope="col">Operation</th>
            <th scope="col" class="num">
              p50
            </th>
            <th scope="col" class="num">
              p90
            </th>
            <th scope="col" class="num">
              p99
            </th>
            <th scope="col" class="spread-head">
              1 ms – 10 s
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([id, title, note]) => {
            const found = now?.latency[id] ?? null;
            return (
              <tr key={id}>
                <th scope="row">
                  {title}
                  {note !== '' && <span class="muted cell-note">{note}</span>}
                </th>
                <td class="num">{found === null ? '–' : durationText(found.p50_ms)}</td>
                <td class="num">{found === null ? '–' : durationText(found.p90_ms)}</td>
                <td class="num">{found === null ? '–' : durationText(found.p99_ms)}</td>
                <td>{found !== null && <Spread from={found.p50_ms} to={found.p99_ms} tone={id} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}

function Spread({ from, to, tone }: { readonly from: number; readonly to: number; readonly tone: string }) {
  const start = shareOnLogScale(from, scaleMs) * 100;
  const end = shareOnLogScale(to, scaleMs) * 100;
  return (
    <span class="spread" aria-hidden="true">
      <span
        class={`spread-bar ${tone}`}
        style={{ left: `${start}%`, width: `${Math.max(2, end - start)}%` }}
      />
    </span>
  );
}
