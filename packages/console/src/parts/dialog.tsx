import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** The browser's own dialog: it holds the focus, takes Escape, and gives the focus back. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  /** Does a click beside it close it? Not where a secret is shown once. */
  readonly isSticky?: boolean;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: by keyboard it is Escape, which the browser turns into `cancel`
    <dialog
      ref={dialog}
      class="dialog"
      aria-label={props.title}
      onCancel={(event) => {
        event.preventDefault();
        if (props.isSticky !== true) props.onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current && props.isSticky !== true) props.onClose();
      }}
    >
      <div class="dialog-body">
        <h2>{props.title}</h2>
        {props.children}
      </div>
    </dialog>
  );
}
