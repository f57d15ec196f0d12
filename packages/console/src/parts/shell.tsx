import type { Client } from '@keyswarm/sdk';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { link, reconnectNow } from '../live/live-store.ts';
import { pages } from '../pages/pages.tsx';
import { place } from '../session/place.ts';
import { signOut } from '../session/session.ts';
import { type Theme, theme, themes } from '../session/theme.ts';
import { Mark } from './mark.tsx';

const themeWords: Readonly<Record<Theme, string>> = {
  system: 'As the device',
  light: 'Light',
  dark: 'Dark',
};

/** The frame round every page: where one can go, whether the picture is live, how it looks, the way out. */
export function Shell({ client }: { readonly client: Client }) {
  const { page: name } = place.value;
  const page = pages.find(({ id }) => id === name) ?? pages[0];
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${page?.title ?? 'Keyswarm'} · Keyswarm`;
    main.current?.scrollTo(0, 0);
  }, [page]);
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header class="side">
        <div class="wordmark">
          <Mark />
          Keyswarm
        </div>
        <nav aria-label="Pages">
          {pages.map(({ id, title, icon }) => (
            <a key={id} href={`#/${id}`} class="nav-link" aria-current={id === page?.id ? 'page' : undefined}>
              {icon}
              <span>{title}</span>
            </a>
          ))}
        </nav>
        <div class="side-foot">
          <label class="theme">
            <span class="theme-word">Colours</span>
            <select
              value={theme.value}
              onChange={(event) => {
                theme.value = event.currentTarget.value as Theme;
              }}
            >
              {themes.map((one) => (
                <option key={one} value={one}>
                  {themeWords[one]}
                </option>
              ))}
            </select>
          </label>
          <button type="button" class="button quiet small" onClick={() => signOut()}>
            Sign out
          </button>
        </div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to take the focus (WCAG 2.1.1) */}
      <main class="page" id="main" tabIndex={0} ref={main}>
        <LinkBanner />
        {page?.render(client)}
      </main>
    </div>
  );
}

/** What every page begins with. */
export function PageHead(props: {
  readonly title: string;
  readonly lead?: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="page-head">
      <div>
        <h1>{props.title}</h1>
        {props.lead !== undefined && <p class="lead">{props.lead}</p>}
      </div>
      <div class="page-actions">{props.children}</div>
    </div>
  );
}

function LinkBanner() {
  const now = link.value;
  if (now.state !== 'lost')
    return (
      <div role="status" class="visually-hidden">
        {now.state === 'live' ? 'Live' : ''}
      </div>
    );
  return (
    <div class="banner" role="status">
      <span class="dot danger" aria-hidden="true" />
      <span>
        <strong>Not live.</strong> {now.why} What you see is what was last known.
      </span>
      <button type="button" class="button small" onClick={reconnectNow}>
        Try now
      </button>
    </div>
  );
}
