import type { LiveFrame } from '@keyswarm/contract';
import { type Client, KeyswarmError } from '@keyswarm/sdk';
import { batch, computed, signal } from '@preact/signals';
import { after, chance, nowMs, onVisible } from '../runtime/browser.ts';
import { errorText, signOut } from '../session/session.ts';

/*
 * The connection that the picture hangs on. It is one at a time; when it is lost the page says so, keeps what it last
 * knew on the screen as that, and tries again with growing pauses, at once when somebody comes back to the tab.
 */

export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'lost'; readonly why: string; readonly retryAtMs: number };

/** Two minutes of frames: what the lines of the page reach back. */
export const framesKept = 120;
const pauseMsMin = 500;
const pauseMsMax = 8_000;

export const link = signal<Link>({ state: 'connecting' });
export const frames = signal<readonly LiveFrame[]>([]);
export const frame = computed(() => frames.value.at(-1));
export const isLive = computed(() => link.value.state === 'live');

let stop: AbortController | undefined;
let hurry: (() => void) | undefined;

export function startWatching(client: Client): void {
  stopWatching();
  frames.value = [];
  const controller = new AbortController();
  stop = controller;
  void watch(client, controller.signal);
}

export function stopWatching(): void {
  stop?.abort();
  stop = undefined;
}

/** Does not wait for the pause to end. */
export function reconnectNow(): void {
  hurry?.();
}

onVisible(reconnectNow);

async function watch(client: Client, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    link.value = failures === 0 ? { state: 'connecting' } : link.value;
    try {
      for await (const next of client.live({ signal })) {
        failures = 0;
        batch(() => {
          link.value = { state: 'live' };
          frames.value = [...frames.value, next].slice(-framesKept);
        });
      }
    } catch (error) {
      if (signal.aborted) return;
      const why = errorText(error);
      if (error instanceof KeyswarmError && !error.retryable) return signOut(why);
      failures += 1;
      await pause(failures, why);
    }
  }
}

function pause(failures: number, why: string): Promise<void> {
  const boundMs = Math.min(pauseMsMax, pauseMsMin * 2 ** (failures - 1));
  const pauseMs = boundMs * (0.5 + chance() / 2);
  link.value = { state: 'lost', why, retryAtMs: nowMs() + pauseMs };
  return new Promise((resolve) => {
    const cancel = after(pauseMs, resolve);
    hurry = () => {
      cancel();
      resolve();
    };
  });
}
