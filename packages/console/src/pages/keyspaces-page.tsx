import type { KeyspaceReply } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { useState } from 'preact/hooks';
import { secondsText } from '../format/numbers.ts';
import { Badge, Card, Facts, Problem } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { PageHead } from '../parts/shell.tsx';
import { useAction } from '../parts/use-action.ts';
import { useLoad } from '../parts/use-load.ts';

/** Families of keys, each with its policy. The lease is the dial between security and availability. */
export function KeyspacesPage({ client }: { readonly client: Client }) {
  const [isMaking, setMaking] = useState(false);
  const [keyspaces, again] = useLoad(
    async (signal) => (await client.keyspaces.list({ limit: 200 }, { signal }).page()).items,
    [client],
  );
  return (
    <>
      <PageHead title="Keyspaces" lead="A family of keys for one access point, with its policy.">
        <button type="button" class="button primary" onClick={() => setMaking(true)}>
          New keyspace
        </button>
      </PageHead>
      {keyspaces.state === 'failed' && <Problem text={keyspaces.why} again={again} />}
      {keyspaces.state === 'loading' && <p class="muted">Looking …</p>}
      {keyspaces.state === 'loaded' && (
        <div class="grid cards">
          {keyspaces.value.map((keyspace) => (
            <KeyspaceCard key={keyspace.id} keyspace={keyspace} />
          ))}
        </div>
      )}
      {isMaking && (
        <MakeDialog
          client={client}
          onClose={() => setMaking(false)}
          onMade={() => {
            setMaking(false);
            again();
          }}
        />
      )}
    </>
  );
}

function KeyspaceCard({ keyspace }: { readonly keyspace: KeyspaceReply }) {
  const { name, prefix, state, approval, rotation } = keyspace;
  return (
    <Card title={name} aside={<Badge tone={state === 'active' ? 'ok' : 'warn'}>{state}</Badge>}>
      <Facts
        items={[
          ['Key strings', <span class="mono">{prefix}_…</span>],
          ['Scopes', <span class="mono">{keyspace.allowed_scopes.join(' ')}</span>],
          [
            'Lease',
            `${secondsText(keyspace.lease_seconds)}: a verifier that is cut off may go on for as long`,
          ],
          ['Life of a key', secondsText(keyspace.default_ttl_seconds)],
          ['Longest grace', secondsText(keyspace.max_grace_seconds)],
          ['Due for rotation after', secondsText(rotation.rotate_after_seconds)],
          ['Takes a second manager', approval.scopes.length === 0 ? 'never' : approval.scopes.join(' ')],
        ]}
      />
      <p class="card-foot">
        <a href="#/keys">Its keys</a>
      </p>
    </Card>
  );
}

function MakeDialog(props: {
  readonly client: Client;
  readonly onClose: () => void;
  readonly onMade: () => void;
}) {
  const { isBusy, problem, run } = useAction();
  const make = async (form: FormData): Promise<void> => {
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    await props.client.keyspaces.create({
      name: text('name'),
      prefix: text('prefix'),
      allowed_scopes: text('scopes').split(/[\s,]+/),
      lease_seconds: Number(text('lease')),
      default_ttl_seconds: 7_776_000,
    });
    props.onMade();
  };
  return (
    <Dialog title="New keyspace" onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          void run(() => make(form));
        }}
      >
        <p class="muted">Name and prefix are for good; the rest can be changed.</p>
        <div class="form-row">
          <label class="field grow">
            <span>Name</span>
            <input name="name" required placeholder="orders-live" autofocus spellcheck={false} />
          </label>
          <label class="field grow">
            <span>Prefix of its key strings</span>
            <input name="prefix" required class="mono" placeholder="orders_live" spellcheck={false} />
          </label>
        </div>
        <label class="field">
          <span>Scopes that its keys may have, separated by blanks</span>
          <input name="scopes" required class="mono" placeholder="orders:*" spellcheck={false} />
        </label>
        <label class="field">
          <span>Lease: how long a verifier that is cut off may go on accepting</span>
          <select name="lease" defaultValue="30">
            <option value="2">2 s: strict</option>
            <option value="5">5 s</option>
            <option value="30">30 s: rides out a failover of the database</option>
            <option value="120">2 min</option>
            <option value="600">10 min: availability first</option>
          </select>
        </label>
        {problem !== undefined && <Problem text={problem} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={isBusy}>
            Make it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
