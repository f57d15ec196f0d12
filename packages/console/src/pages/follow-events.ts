import type { CloudEvent } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { noticeError } from '../session/session.ts';

/** The newest that are kept on the page. */
export const shownEventsMax = 300;

export interface EventListener {
  /** In the order in which they happened. */
  onEvents(events: readonly CloudEvent[]): void;
  onBegin(): void;
  onProblem(text: string | undefined): void;
}

/** The last page of what happened, and what happens from then on, until the signal ends it. */
export async function followEvents(
  client: Client,
  signal: AbortSignal,
  listener: EventListener,
): Promise<void> {
  try {
    listener.onBegin();
    const query = { from: 'recent', limit: 200, pollMs: 1_000 } as const;
    for await (const page of client.events.tailPages(query, { signal })) {
      listener.onProblem(undefined);
      listener.onEvents(page.items);
    }
  } catch (error) {
    if (!signal.aborted) listener.onProblem(noticeError(error));
  }
}
