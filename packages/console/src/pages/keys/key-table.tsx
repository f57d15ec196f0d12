import type { KeyReply, KeyspaceReply } from '@keyswarm/contract';
import { instantText } from '../../format/times.ts';
import { Badge, Id, type Tone } from '../../parts/basics.tsx';
import { TableScroll } from '../../parts/table-scroll.tsx';

const keyTones: Readonly<Record<KeyReply['state'], Tone>> = {
  active: 'ok',
  pending: 'idle',
  suspended: 'warn',
  revoked: 'danger',
  expired: 'idle',
};

export function KeyTable(props: {
  readonly keys: readonly KeyReply[];
  readonly keyspaces: readonly Pick<KeyspaceReply, 'id' | 'name'>[];
}) {
  const names = new Map(props.keyspaces.map(({ id, name }) => [id, name]));
  return (
    <TableScroll name="Keys">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Keyspace</th>
            <th scope="col">Scopes</th>
            <th scope="col">Expires</th>
            <th scope="col" class="num">
              Version
            </th>
          </tr>
        </thead>
        <tbody>
          {props.keys.map((key) => (
            <tr key={key.id}>
              <td>
                <Id id={key.id} href={`#/keys/${key.id}`} />
              </td>
              <td class="clip">{key.name === '' ? <span class="muted">–</span> : key.name}</td>
              <td>
                <KeyState of={key} />
              </td>
              <td>{names.get(key.keyspace_id) ?? <Id id={key.keyspace_id} />}</td>
              <td class="clip mono small">{key.scopes.join(' ')}</td>
              <td class="when">{instantText(key.expires_at)}</td>
              <td class="num">{key.versions.at(-1)?.version ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

/** The state of a key, and what refuses it though it is active. */
export function KeyState({ of: key }: { readonly of: Pick<KeyReply, 'state' | 'refused_because'> }) {
  const { state, refused_because: why } = key;
  return (
    <>
      <Badge tone={why === undefined ? keyTones[state] : 'idle'}>{state}</Badge>
      {why !== undefined && (
        <>
          {' '}
          <Badge tone="warn">{why === 'owner_suspended' ? 'owner suspended' : 'keyspace suspended'}</Badge>
        </>
      )}
    </>
  );
}
