import { type Runtime, systemRuntime } from '@keyswarm/sdk';

/* The one file of the page that touches the clock, the timers, the store and the address bar of the browser. */

export const nowMs = (): number => Date.now();

export function every(periodMs: number, run: () => void): () => void {
  const timer = setInterval(run, periodMs);
  return () => clearInterval(timer);
}

export function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

export const chance = (): number => Math.random();

/** `crypto.randomUUID` is there in secure contexts only; a server may be reached by plain http in a closed network. */
export const clientRuntime: Runtime = Object.freeze({
  ...systemRuntime,
  newIdempotencyKey: () => [...crypto.getRandomValues(new Uint8Array(18))].map(twoDigits).join(''),
});

const twoDigits = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Where this page is served from: the API is beside it. */
export function baseUrl(): string {
  const url = new URL('.', document.baseURI);
  return url.origin + url.pathname.replace(/\/$/, '');
}

/** What stands behind the `#`. Unlike a query it is sent to no server. */
export const fragment = (): string => location.hash.slice(1);
export const setFragment = (text: string): void => {
  location.hash = text;
};
/** Takes it out of the address, and out of the history. */
export const replaceFragment = (text: string): void => {
  history.replaceState(null, '', `${location.pathname}${location.search}#${text}`);
};
export const onFragment = (run: () => void): void => addEventListener('hashchange', run);

/** For how the page looks. Never for a key. */
export function readPreference(name: string): string | undefined {
  try {
    return localStorage.getItem(`keyswarm.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function writePreference(name: string, value: string): void {
  try {
    localStorage.setItem(`keyswarm.${name}`, value);
  } catch {
    // A browser that keeps nothing shows the page as its system says.
  }
}

export const copyText = (text: string): Promise<void> =>
  navigator.clipboard === undefined
    ? Promise.reject(new Error('this browser copies on secure pages only'))
    : navigator.clipboard.writeText(text);

export const wantsStillness = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;
export const onVisible = (run: () => void): void =>
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') run();
  });
