import type { Client } from '@keyswarm/sdk';
import { useState } from 'preact/hooks';
import { Empty, Problem } from '../../parts/basics.tsx';
import { Pager } from '../../parts/pager.tsx';
import { PageHead } from '../../parts/shell.tsx';
import { useLoad } from '../../parts/use-load.ts';
import { goTo, place } from '../../session/place.ts';
import { findKeys, type KeyQuestion } from './find-keys.ts';
import { IssueDialog } from './issue-dialog.tsx';
import { KeyDetails } from './key-details.tsx';
import { KeyFilter } from './key-filter.tsx';
import { KeyTable } from './key-table.tsx';

const pageSize = 25;

/** Finds keys, shows them page by page, issues them; one of them is looked at on a page of its own. */
export function KeysPage({ client }: { readonly client: Client }) {
  const { id, query } = place.value;
  if (id !== undefined && id !== '') return <KeyDetails key={id} client={client} id={id} />;
  return <KeyList client={client} firstSearch={query.get('q') ?? ''} key={query.get('q') ?? ''} />;
}

function KeyList({ client, firstSearch }: { readonly client: Client; readonly firstSearch: string }) {
  const [question, setQuestion] = useState<KeyQuestion>({ search: firstSearch, keyspace: '', state: '' });
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const [isIssuing, setIssuing] = useState(false);
  const cursor = cursors.at(-1);
  const [keys, again] = useLoad(
    (signal) =>
      findKeys(client, question, { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) }, signal),
    [client, question, cursor],
  );
  const [keyspaces] = useLoad(
    async (signal) => (await client.keyspaces.list({ limit: 200 }, { signal }).page()).items,
    [client],
  );
  const known = keyspaces.state === 'loaded' ? keyspaces.value : [];
  const ask = (next: KeyQuestion): void => {
    setCursors([]);
    setQuestion(next);
  };
  return (
    <>
      <PageHead title="Keys" lead="Every key that your management key may see.">
        <button type="button" class="button primary" onClick={() => setIssuing(true)}>
          Issue a key
        </button>
      </PageHead>
      <KeyFilter question={question} keyspaces={known} onChange={ask} />
      {keys.state === 'failed' && <Problem text={keys.why} again={again} />}
      {keys.state === 'loading' && <p class="muted">Looking …</p>}
      {keys.state === 'loaded' && keys.value.items.length === 0 && (
        <Empty title="No key matches">
          {question.search === ''
            ? 'Issue one, or choose another keyspace or state.'
            : 'Search takes the id of a key or an owner, or an owner such as service:billing.'}
        </Empty>
      )}
      {keys.state === 'loaded' && keys.value.items.length > 0 && (
        <>
          <KeyTable keys={keys.value.items} keyspaces={known} />
          <Pager
            page={cursors.length + 1}
            next={keys.value.next_cursor}
            onBack={() => setCursors(cursors.slice(0, -1))}
            onNext={(next) => setCursors([...cursors, next])}
          />
        </>
      )}
      {isIssuing && (
        <IssueDialog
          client={client}
          keyspaces={known}
          onClose={() => setIssuing(false)}
          onIssued={(issued) => {
            setIssuing(false);
            goTo(`/keys/${issued}`);
          }}
        />
      )}
    </>
  );
}
