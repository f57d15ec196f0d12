import type { ComponentChildren } from 'preact';
import { Problem } from './basics.tsx';
import { Dialog } from './dialog.tsx';
import { useAction } from './use-action.ts';

/** Asks before something that can not be taken back. */
export function ConfirmDialog(props: {
  readonly title: string;
  readonly confirm: string;
  readonly isDanger?: boolean;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const { isBusy, problem, run } = useAction();
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run(props.onConfirm);
        }}
      >
        {props.children}
        {problem !== undefined && <Problem text={problem} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class={`button ${props.isDanger ? 'danger' : 'primary'}`} disabled={isBusy}>
            {isBusy ? 'One moment …' : props.confirm}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
