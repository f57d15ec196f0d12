import type { KeyReply, ReplyOf } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { useState } from 'preact/hooks';
import { agoText, instantText } from '../../format/times.ts';
import { Problem } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { SecretDialog } from '../../parts/secret-dialog.tsx';
import { useAction } from '../../parts/use-action.ts';
import { nowMs } from '../../runtime/browser.ts';

type Asked = 'rotate' | 'finish' | 'revoke';

interface Done {
  readonly text: string;
  readonly secret?: string | undefined;
}

/** What can be done with a key. What can not be taken back is asked for twice, and says by when it holds everywhere. */
export function KeyActions(props: {
  readonly client: Client;
  readonly shown: { readonly key: KeyReply; readonly rotation: ReplyOf<'getRotation'> };
  readonly onChanged: () => void;
}) {
  const { client, onChanged } = props;
  const { key, rotation } = props.shown;
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  const [done, setDone] = useState<Done | undefined>(undefined);
  const { isBusy, problem, run } = useAction();
  const finished = (what: Done): void => {
    setAsked(undefined);
    setDone(what);
    onChanged();
  };
  const isUsable = key.state === 'active' || key.state === 'pending';
  return (
    <>
      <div class="actions">
        <button type="button" class="button" disabled={!isUsable} onClick={() => setAsked('rotate')}>
          Rotate
        </button>
        {rotation.state === 'overlapping' && (
          <button type="button" class="button" onClick={() => setAsked('finish')}>
            Finish the rotation
          </button>
        )}
        {(key.state === 'active' || key.state === 'suspended') && (
          <button
            type="button"
            class="button"
            disabled={isBusy}
            onClick={() => void run(async () => finished(await toggle(client, key)))}
          >
            {key.state === 'suspended' ? 'Resume' : 'Suspend'}
          </button>
        )}
        <button
          type="button"
          class="button danger"
          disabled={key.state === 'revoked' || key.state === 'expired'}
          onClick={() => setAsked('revoke')}
        >
          Revoke
        </button>
      </div>
      {problem !== undefined && <Problem text={problem} />}
      {done !== undefined && done.secret === undefined && (
        <p class="note ok" role="status">
          {done.text}
        </p>
      )}
      {done?.secret !== undefined && (
        <SecretDialog
          title="A new version was made"
          secret={done.secret}
          note={done.text}
          onClose={() => setDone({ text: done.text })}
        />
      )}
      {asked !== undefined && (
        <Ask
          asked={asked}
          client={client}
          id={key.id}
          onDone={finished}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}

async function toggle(client: Client, { id, state }: KeyReply): Promise<Done> {
  if (state === 'suspended') {
    await client.keys.resume(id);
    return { text: 'Resumed: it works again.' };
  }
  const { effective_by } = await client.keys.suspend(id);
  return { text: `Suspended. ${boundText(effective_by)}` };
}

interface AskProps {
  readonly asked: Asked;
  readonly client: Client;
  readonly id: string;
  readonly onDone: (done: Done) => void;
  readonly onClose: () => void;
}

function Ask(props: AskProps) {
  if (props.asked === 'rotate') return <AskRotate {...props} />;
  return props.asked === 'finish' ? <AskFinish {...props} /> : <AskRevoke {...props} />;
}

function AskRotate({ client, id, onDone, onClose }: AskProps) {
  const [grace, setGrace] = useState('600');
  const rotate = async (): Promise<void> => {
    const { secret, previous } = await client.keys.rotate(id, { grace_seconds: Number(grace) });
    onDone({
      secret,
      text: `Version ${previous.version} goes on working until ${instantText(previous.retires_at)}.`,
    });
  };
  return (
    <ConfirmDialog title="Rotate the key" confirm="Rotate" onConfirm={rotate} onClose={onClose}>
      <p class="muted">A second secret is made. Both work until the grace of the old one ends.</p>
      <label class="field">
        <span>The old one goes on working for</span>
        <select value={grace} onChange={(event) => setGrace(event.currentTarget.value)}>
          <option value="0">no time at all</option>
          <option value="60">a minute</option>
          <option value="600">ten minutes</option>
          <option value="3600">an hour</option>
          <option value="86400">a day</option>
        </select>
      </label>
    </ConfirmDialog>
  );
}

function AskFinish({ client, id, onDone, onClose }: AskProps) {
  const [force, setForce] = useState(false);
  const finish = async (): Promise<void> => {
    const { retired, effective_by } = await client.keys.finishRotation(id, force ? { force } : {});
    onDone({ text: `Version ${retired.version} is retired. ${boundText(effective_by)}` });
  };
  return (
    <ConfirmDialog
      title="Finish the rotation"
      confirm="Finish"
      onConfirm={finish}
      onClose={onClose}
      isDanger={force}
    >
      <p class="muted">
        The old version stops working. That is refused while it is in use, or while the new one never was.
      </p>
      <label class="check">
        <input type="checkbox" checked={force} onChange={(event) => setForce(event.currentTarget.checked)} />
        <span>Finish it even if the old version is still in use</span>
      </label>
    </ConfirmDialog>
  );
}

function AskRevoke({ client, id, onDone, onClose }: AskProps) {
  const [reason, setReason] = useState('');
  const revoke = async (): Promise<void> => {
    const body = reason.trim() === '' ? {} : { reason: reason.trim() };
    const { effective_by } = await client.keys.revoke(id, body);
    onDone({ text: `Revoked. ${boundText(effective_by)}` });
  };
  return (
    <ConfirmDialog
      title="Revoke the key"
      confirm="Revoke for good"
      onConfirm={revoke}
      onClose={onClose}
      isDanger
    >
      <p>This can not be taken back. Every version of the key stops working.</p>
      <label class="field">
        <span>Why, for the audit record</span>
        <input value={reason} maxLength={200} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
    </ConfirmDialog>
  );
}

/** The promise that a change comes with. */
export function boundText(effectiveBy: string): string {
  return `Effective by ${instantText(effectiveBy)} (${agoText(effectiveBy, nowMs())}): from then on no verifier accepts it, whatever the network does.`;
}
