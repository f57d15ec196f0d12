import { CopyButton } from './basics.tsx';
import { Dialog } from './dialog.tsx';

/** A secret is on the screen once. It stands in a field that can be selected by keyboard, and leaves with the dialog. */
export function SecretDialog(props: {
  readonly title: string;
  readonly secret: string;
  readonly note: string;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title={props.title} onClose={props.onClose} isSticky>
      <p class="muted">This is the only time it is shown. Only its hash is kept.</p>
      <div class="secret">
        <input
          class="mono"
          readOnly
          value={props.secret}
          aria-label="Secret"
          onFocus={(event) => event.currentTarget.select()}
        />
        <CopyButton text={props.secret} label="Copy" />
      </div>
      <p class="hint">{props.note}</p>
      <div class="dialog-actions">
        <button type="button" class="button primary" onClick={props.onClose}>
          I have stored it
        </button>
      </div>
    </Dialog>
  );
}
