import type { ComponentChildren } from 'preact';

/** A table that may be wider than the screen: a person without a mouse scrolls it by the arrow keys. */
export function TableScroll({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to take the focus (WCAG 2.1.1)
    <section class="table-scroll" tabIndex={0} aria-label={name}>
      {children}
    </section>
  );
}
