import type { CloudEvent } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { noticeError } from '../session/session.ts';

/** The newest that are kept on the page. */
export const shownEventsMax = 300;

export interface EventListener {
  /** Where to go on from; undefined: with the last page of what happened. */
  readonly after: string | undefined;
  /** In the order in which they happened; at first what happened before, be it nothing. */
  onEvents(events: readonly CloudEvent[], cursor: string): void;
  onProblem(text: string | undefined): void;
}

/** The last page of what happened, and what happens from then on, until the signal ends it. */
export async function followEvents(
  client: Client,
  signal: AbortSignal,
  listener: EventListener,
): Promise<void> {
  try {
    let { after } = listener;
    if (after === undefined) {
      const first = await client.events.list({ from: 'recent', limit: 200 }, { signal });
      after = first.next_cursor;
      listener.onEvents(first.items, after);
    }
    const query = { after, limit: 200, pollMs: 1_000 } as const;
    for await (const page of client.events.tailPages(query, { signal })) {
      listener.onProblem(undefined);
      listener.onEvents(page.items, page.next_cursor);
    }
  } catch (error) {
    if (!signal.aborted) listener.onProblem(noticeError(error));
  }
}
