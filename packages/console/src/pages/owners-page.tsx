import type { OwnerReply } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { useState } from 'preact/hooks';
import { instantText } from '../format/times.ts';
import { Badge, Empty, Id, Problem } from '../parts/basics.tsx';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { Pager } from '../parts/pager.tsx';
import { PageHead } from '../parts/shell.tsx';
import { TableScroll } from '../parts/table-scroll.tsx';
import { useLoad } from '../parts/use-load.ts';
import { boundText } from './keys/key-actions.tsx';

interface Asked {
  readonly owner: OwnerReply;
  readonly what: 'suspend' | 'resume' | 'revoke';
}

/** Who holds keys; suspending one refuses all its keys by a single event. */
export function OwnersPage({ client }: { readonly client: Client }) {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  const [said, setSaid] = useState<string | undefined>(undefined);
  const cursor = cursors.at(-1);
  const [owners, again] = useLoad(
    (signal) =>
      client.owners.list({ limit: 25, ...(cursor === undefined ? {} : { cursor }) }, { signal }).page(),
    [client, cursor],
  );
  return (
    <>
      <PageHead
        title="Owners"
        lead="Who holds keys. Suspending one refuses all its keys at once, whatever their number."
      />
      {said !== undefined && (
        <p class="note ok" role="status">
          {said}
        </p>
      )}
      {owners.state === 'failed' && <Problem text={owners.why} again={again} />}
      {owners.state === 'loaded' && owners.value.items.length === 0 && (
        <Empty title="No owner yet">Issuing a key makes its owner, too.</Empty>
      )}
      {owners.state === 'loaded' && owners.value.items.length > 0 && (
        <>
          <OwnerTable owners={owners.value.items} onAsk={setAsked} />
          <Pager
            page={cursors.length + 1}
            next={owners.value.next_cursor}
            onBack={() => setCursors(cursors.slice(0, -1))}
            onNext={(next) => setCursors([...cursors, next])}
          />
        </>
      )}
      {asked !== undefined && (
        <AskOwner
          client={client}
          asked={asked}
          onClose={() => setAsked(undefined)}
          onDone={(text) => {
            setAsked(undefined);
            setSaid(text);
            again();
          }}
        />
      )}
    </>
  );
}

function OwnerTable(props: {
  readonly owners: readonly OwnerReply[];
  readonly onAsk: (asked: Asked) => void;
}) {
  return (
    <TableScroll name="Owners">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Owner</th>
            <th scope="col">Kind</th>
            <th scope="col">State</th>
            <th scope="col">Since</th>
            <th scope="col">Id</th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.owners.map((owner) => (
            <tr key={owner.id}>
              <td class="clip">
                <a href={`#/keys?q=${owner.id}`}>{owner.external_id}</a>
              </td>
              <td>{owner.kind}</td>
              <td>
                <Badge tone={owner.state === 'active' ? 'ok' : 'warn'}>{owner.state}</Badge>
              </td>
              <td class="when">{instantText(owner.created_at)}</td>
              <td>
                <Id id={owner.id} />
              </td>
              <td class="row-actions">
                <button
                  type="button"
                  class="button small"
                  onClick={() =>
                    props.onAsk({ owner, what: owner.state === 'active' ? 'suspend' : 'resume' })
                  }
                >
                  {owner.state === 'active' ? 'Suspend' : 'Resume'}
                </button>
                <button
                  type="button"
                  class="button small"
                  onClick={() => props.onAsk({ owner, what: 'revoke' })}
                >
                  Revoke its keys
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

const questions = {
  suspend: ['Suspend the owner', 'Suspend', 'All its keys are refused until it is resumed.'],
  resume: ['Resume the owner', 'Resume', 'Its keys work again as they did.'],
  revoke: [
    'Revoke all its keys',
    'Revoke for good',
    'Every key it has now is refused for good. This can not be taken back.',
  ],
} as const;

function AskOwner(props: {
  readonly client: Client;
  readonly asked: Asked;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}) {
  const { client, asked } = props;
  const { id, kind, external_id } = asked.owner;
  const [title, confirm, text] = questions[asked.what];
  const act = async (): Promise<void> => {
    if (asked.what === 'resume') {
      await client.owners.resume(id);
      return props.onDone('Resumed: its keys work again.');
    }
    const done =
      asked.what === 'suspend' ? await client.owners.suspend(id) : await client.owners.revokeKeys(id);
    props.onDone(boundText(done.effective_by));
  };
  return (
    <ConfirmDialog
      title={title}
      confirm={confirm}
      isDanger={asked.what !== 'resume'}
      onConfirm={act}
      onClose={props.onClose}
    >
      <p>
        <strong>
          {kind} {external_id}
        </strong>
      </p>
      <p class="muted">{text}</p>
    </ConfirmDialog>
  );
}
