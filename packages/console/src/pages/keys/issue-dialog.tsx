import type { KeyspaceReply } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { useState } from 'preact/hooks';
import { Problem } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { SecretDialog } from '../../parts/secret-dialog.tsx';
import { useAction } from '../../parts/use-action.ts';
import { readIssueForm } from './issue-form.ts';

interface Issued {
  readonly id: string;
  readonly secret: string;
}

/** Asks for the terms of a key, issues it, and shows its secret, once. */
export function IssueDialog(props: {
  readonly client: Client;
  readonly keyspaces: readonly KeyspaceReply[];
  readonly onClose: () => void;
  readonly onIssued: (id: string) => void;
}) {
  const [issued, setIssued] = useState<Issued | undefined>(undefined);
  const { isBusy, problem, run } = useAction();
  if (issued !== undefined) {
    return (
      <SecretDialog
        title="The key was issued"
        secret={issued.secret}
        note="It works at once, at every verifier."
        onClose={() => props.onIssued(issued.id)}
      />
    );
  }
  return (
    <Dialog title="Issue a key" onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const terms = readIssueForm(new FormData(event.currentTarget));
          void run(async () => {
            const made = await props.client.keys.issue(terms);
            // A key that signs has no secret to show.
            if (made.secret === undefined) props.onIssued(made.id);
            else setIssued({ id: made.id, secret: made.secret });
          });
        }}
      >
        <IssueFields keyspaces={props.keyspaces} />
        {problem !== undefined && <Problem text={problem} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={isBusy}>
            {isBusy ? 'Issuing …' : 'Issue'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function IssueFields({ keyspaces }: { readonly keyspaces: readonly KeyspaceReply[] }) {
  const own = keyspaces.filter(({ name }) => name !== 'keyswarm');
  const [first] = own;
  return (
    <>
      <div class="form-row">
        <label class="field grow">
          <span>Keyspace</span>
          <select name="keyspace" required>
            {[...own, ...keyspaces.filter(({ name }) => name === 'keyswarm')].map(({ id, name }) => (
              <option key={id} value={id}>
                {name === 'keyswarm' ? 'keyswarm (management keys)' : name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Lives for</span>
          <select name="ttl">
            <option value="">as the keyspace says</option>
            <option value="3600">an hour</option>
            <option value="86400">a day</option>
            <option value="2592000">30 days</option>
            <option value="7776000">90 days</option>
          </select>
        </label>
      </div>
      <div class="form-row">
        <label class="field">
          <span>Owner</span>
          <select name="owner_kind">
            <option>service</option>
            <option>integration</option>
            <option>user</option>
          </select>
        </label>
        <label class="field grow">
          <span>Its id in your system</span>
          <input name="owner_id" required maxLength={200} placeholder="billing" autofocus />
        </label>
      </div>
      <label class="field">
        <span>Name, for people</span>
        <input name="name" maxLength={100} placeholder="billing, production" />
      </label>
      <label class="field">
        <span>Scopes, separated by blanks</span>
        <input
          name="scopes"
          class="mono"
          spellcheck={false}
          placeholder={first?.allowed_scopes.join(' ') ?? 'orders:read'}
        />
      </label>
    </>
  );
}
