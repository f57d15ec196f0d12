import { countText, durationText } from '../format/numbers.ts';
import { agoText } from '../format/times.ts';
import { frame } from '../live/live-store.ts';
import { leaseBounds, leaseHealth } from '../live/series.ts';
import { Badge, Empty } from '../parts/basics.tsx';
import { PageHead } from '../parts/shell.tsx';
import { TableScroll } from '../parts/table-scroll.tsx';
import { tones, words } from './flow/lease-panel.tsx';

/** Who verifies, whom it asks, how fresh it is. Live, as the registry has it. */
export function VerifiersPage() {
  const now = frame.value;
  if (now === undefined) return <Empty title="Waiting for the first figures …" />;
  const bounds = leaseBounds(now);
  const { items, total } = now.verifiers;
  return (
    <>
      <PageHead
        title="Verifiers"
        lead={`${total} in all${total > items.length ? `, the ${items.length} with the oldest leases shown` : ''}. A verifier says "valid" only while it can prove that it is fresh.`}
      />
      <TableScroll name="Verifiers">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Verifier</th>
              <th scope="col">State</th>
              <th scope="col">Lease, proved</th>
              <th scope="col">Behind</th>
              <th scope="col">Kind</th>
              <th scope="col">Asks</th>
              <th scope="col">Heard of</th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => {
              const health = leaseHealth(one, bounds);
              return (
                <tr key={one.id}>
                  <td class="clip">
                    <strong>{one.name}</strong>
                  </td>
                  <td>
                    <Badge tone={tones[health]}>{words[health]}</Badge>
                  </td>
                  <td class="num">
                    {one.lease_age_ms === null ? 'none' : `${durationText(one.lease_age_ms)} ago`}
                  </td>
                  <td class="num">{one.rows_behind === null ? '–' : countText(one.rows_behind)}</td>
                  <td>{[one.kind, one.region].filter((part) => part !== null).join(' · ')}</td>
                  <td class="clip">{one.kind === 'server' ? 'the store' : one.relay.name}</td>
                  <td class="num">
                    {one.seen_at === null ? 'never' : agoText(one.seen_at, Date.parse(now.at))}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </TableScroll>
      <p class="hint">
        Leases here:{' '}
        {now.keyspaces.map(({ name, lease_ms }) => `${name} ${durationText(lease_ms)}`).join(', ')}. A
        verifier whose proof is older than a keyspace's lease answers 503 stale for the keys of that keyspace.
      </p>
    </>
  );
}
