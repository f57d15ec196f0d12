import type { CloudEvent } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { noticeError } from '../session/session.ts';

/** The newest that are kept on the page. */
export const shownEventsMax = 300;
/** Pages of the past that are walked to come to the present: 200 events each. */
const pagesOfPastMax = 400;

export interface EventListener {
  /** In the order in which they happened. */
  onEvents(events: readonly CloudEvent[]): void;
  onBegin(): void;
  onProblem(text: string | undefined): void;
}

/**
 * Follows what happens until the signal ends it. The API reads from the oldest event on, so the past is walked first,
 * and only its end is kept.
 */
export async function followEvents(
  client: Client,
  signal: AbortSignal,
  listener: EventListener,
): Promise<void> {
  try {
    listener.onBegin();
    const { past, cursor } = await walkPast(client, signal);
    if (signal.aborted) return;
    listener.onEvents(past);
    for await (const page of client.events.tailPages(
      { after: cursor, limit: 200, pollMs: 1_000 },
      { signal },
    )) {
      listener.onProblem(undefined);
      listener.onEvents(page.items);
    }
  } catch (error) {
    if (!signal.aborted) listener.onProblem(noticeError(error));
  }
}

async function walkPast(client: Client, signal: AbortSignal) {
  let past: readonly CloudEvent[] = [];
  let page = await client.events.list({ limit: 200 }, { signal });
  for (let walked = 1; walked < pagesOfPastMax && !signal.aborted; walked += 1) {
    past = [...past, ...page.items].slice(-shownEventsMax);
    const next = await client.events.list({ limit: 200, after: page.next_cursor }, { signal });
    if (next.items.length === 0 && next.next_cursor === page.next_cursor) break;
    page = next;
  }
  return { past, cursor: page.next_cursor };
}
