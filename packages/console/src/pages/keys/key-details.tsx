import type { KeyReply, ReplyOf } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { instantText } from '../../format/times.ts';
import { Badge, Card, CopyButton, Facts, Id, Problem } from '../../parts/basics.tsx';
import { PageHead } from '../../parts/shell.tsx';
import { TableScroll } from '../../parts/table-scroll.tsx';
import { useLoad } from '../../parts/use-load.ts';
import { KeyActions } from './key-actions.tsx';
import { KeyState } from './key-table.tsx';

interface Shown {
  readonly key: KeyReply;
  readonly owner: ReplyOf<'getOwner'> | undefined;
  readonly keyspace: ReplyOf<'getKeyspace'> | undefined;
  readonly rotation: ReplyOf<'getRotation'>;
}

/** One key: what it is, how its rotation stands, and what can be done with it. */
export function KeyDetails({ client, id }: { readonly client: Client; readonly id: string }) {
  const [load, again] = useLoad((signal) => loadKey(client, id, signal), [client, id]);
  if (load.state === 'loading') return <p class="muted">Looking …</p>;
  if (load.state === 'failed') {
    return (
      <>
        <PageHead title="Key" />
        <Problem text={load.why} again={again} />
      </>
    );
  }
  const { key, rotation } = load.value;
  return (
    <>
      <p class="crumbs">
        <a href="#/keys">Keys</a>
      </p>
      <PageHead
        title={key.name === '' ? 'Key without a name' : key.name}
        lead={
          <>
            <span class="mono">{key.id}</span> <KeyState of={key} />
          </>
        }
      >
        <CopyButton text={key.id} label="Copy id" />
      </PageHead>
      <KeyActions client={client} shown={{ key, rotation }} onChanged={again} />
      <div class="grid halves">
        <About {...load.value} />
        <Versions {...load.value} />
      </div>
    </>
  );
}

async function loadKey(client: Client, id: string, signal: AbortSignal): Promise<Shown> {
  const key = await client.keys.get(id, { signal });
  const options = { signal };
  // A key may be seen by one who may see neither its owner nor its keyspace.
  const [rotation, owner, keyspace] = await Promise.all([
    client.keys.rotation(id, {}, options),
    client.owners.get(key.owner_id, options).catch(() => undefined),
    client.keyspaces.get(key.keyspace_id, options).catch(() => undefined),
  ]);
  return { key, owner, keyspace, rotation };
}

function About({ key, owner, keyspace }: Shown) {
  const metadata = Object.entries(key.metadata);
  return (
    <Card title="What it is">
      <Facts
        items={[
          ['Keyspace', keyspace?.name ?? <Id id={key.keyspace_id} />],
          ['Owner', owner === undefined ? <Id id={key.owner_id} /> : `${owner.kind} ${owner.external_id}`],
          ['Scopes', <span class="mono">{key.scopes.length === 0 ? 'none' : key.scopes.join(' ')}</span>],
          ['Created', instantText(key.created_at)],
          ['Expires', instantText(key.expires_at)],
          ...(key.revoked_at === null ? [] : ([['Revoked', instantText(key.revoked_at)]] as const)),
          ...(key.revoke_reason === null ? [] : ([['Reason', key.revoke_reason]] as const)),
          ...metadata.map(([name, value]) => [name, value] as const),
        ]}
      />
    </Card>
  );
}

function Versions({ rotation }: Shown) {
  return (
    <Card title="Versions" aside={<span class="muted">rotation: {rotation.state}</span>}>
      <TableScroll name="Versions of the key">
        <table class="table tight">
          <thead>
            <tr>
              <th scope="col" class="num">
                Version
              </th>
              <th scope="col">State</th>
              <th scope="col">Minted</th>
              <th scope="col">Retires</th>
              <th scope="col">Last used</th>
            </tr>
          </thead>
          <tbody>
            {rotation.lineage.items.map((version) => (
              <tr key={version.version}>
                <td class="num">{version.version}</td>
                <td>
                  <Badge
                    tone={version.state === 'active' ? 'ok' : version.state === 'grace' ? 'warn' : 'idle'}
                  >
                    {version.state}
                  </Badge>
                </td>
                <td class="when">{instantText(version.minted_at)}</td>
                <td class="when">{version.retires_at === null ? '–' : instantText(version.retires_at)}</td>
                <td class="when">
                  {version.last_used_at === null ? '–' : instantText(version.last_used_at)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
      {rotation.state === 'overlapping' && rotation.finish.detail !== null && (
        <p class="hint">Finishing it now would be refused: {rotation.finish.detail}</p>
      )}
    </Card>
  );
}
