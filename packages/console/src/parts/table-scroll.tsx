import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/**
 * A table that may be wider than the screen. Where it is, that is said and shown: by a line above, and by a shade at the edge
 * behind which there is more. A person without a mouse scrolls it by the arrow keys.
 */
export function TableScroll({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}) {
  const box = useRef<HTMLElement>(null);
  const [hidden, setHidden] = useState({ before: false, after: false });
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = (): void => {
      const before = element.scrollLeft > 1;
      const after = element.scrollLeft + element.clientWidth < element.scrollWidth - 1;
      setHidden((known) => (known.before === before && known.after === after ? known : { before, after }));
    };
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    if (element.firstElementChild !== null) sizes.observe(element.firstElementChild);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  const isCut = hidden.before || hidden.after;
  return (
    <div class={`table-box${hidden.before ? ' more-before' : ''}${hidden.after ? ' more-after' : ''}`}>
      {isCut && <p class="table-cue">More columns: swipe, or use the arrow keys ↔</p>}
      <div class="table-edge">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to take the focus (WCAG 2.1.1) */}
        <section class="table-scroll" tabIndex={0} aria-label={name} ref={box}>
          {children}
        </section>
      </div>
    </div>
  );
}
