import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { after, copyText } from '../runtime/browser.ts';

export type Tone = 'ok' | 'warn' | 'danger' | 'idle' | 'accent';

/** A word with its colour; the word alone says it, too. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Card(props: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section class={`card ${props.class ?? ''}`} aria-label={props.title}>
      <div class="card-head">
        <h2>{props.title}</h2>
        {props.aside !== undefined && <div class="card-aside">{props.aside}</div>}
      </div>
      {props.children}
    </section>
  );
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children !== undefined && <p class="muted">{children}</p>}
    </div>
  );
}

export function Problem({ text, again }: { readonly text: string; readonly again?: () => void }) {
  return (
    <div class="note danger" role="alert">
      <span>{text}</span>
      {again !== undefined && (
        <button type="button" class="button small" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Copies, and says whether it did: by word, since a secret that was not copied is gone. */
export function CopyButton({ text, label = 'Copy' }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState<string | undefined>(undefined);
  const copy = (): void => {
    copyText(text).then(
      () => setSaid('Copied'),
      () => setSaid('Select it and copy by hand'),
    );
    after(2500, () => setSaid(undefined));
  };
  return (
    <button type="button" class="button small" onClick={copy} aria-live="polite">
      {said ?? label}
    </button>
  );
}

/** An id that is long and looked at often: set in mono, cut in the middle where room is short. */
export function Id({ id, href }: { readonly id: string; readonly href?: string }) {
  const short = id.length > 18 ? `${id.slice(0, 10)}…${id.slice(-5)}` : id;
  const inner = (
    <span class="mono" title={id}>
      {short}
    </span>
  );
  return href === undefined ? inner : <a href={href}>{inner}</a>;
}

export function Facts({ items }: { readonly items: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
