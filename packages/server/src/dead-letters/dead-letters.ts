import { type DeadLetterId, Fault } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { DeadLetter, DeadLetters } from '../storage/dead-letter-port.ts';
import { jobKind } from '../workflows/job-kind.ts';
import type { JobReplays } from '../workflows/jobs-port.ts';

/*
 * What was given up, for somebody to look at: listed, done again or thrown away. An event that is sent again stays
 * in the list until its consumer has taken it.
 */

export interface DeadLetterPorts extends UseCasePorts {
  readonly deadLetters: DeadLetters;
  readonly replays: JobReplays;
}

/** Sends the event of one dead letter again. It leaves no letter of its own: the first one is still there. */
export const replayEvent = jobKind<{ readonly deadLetterId: DeadLetterId }>('webhook.replay', {
  retries: 4,
  retryDelaySeconds: 10,
  timeoutSeconds: 60,
  leavesLetter: false,
});

export async function listOfDeadLetters(
  ports: DeadLetterPorts,
  caller: Caller,
  page: { readonly after?: DeadLetterId | undefined; readonly limit: number },
): Promise<{ readonly letters: readonly DeadLetter[]; readonly next: DeadLetterId | null }> {
  requireScope(caller, 'dead_letters:read');
  const letters = await ports.deadLetters.list(caller.workspaceId, page);
  return { letters, next: letters.length < page.limit ? null : (letters.at(-1)?.id ?? null) };
}

export async function replayDeadLetter(
  ports: DeadLetterPorts,
  caller: Caller,
  id: DeadLetterId,
): Promise<void> {
  const letter = await letterFor(ports, caller, id);
  if (letter.kind === 'range') throw notReplayable('These events are no longer in the feed.');
  if (letter.kind === 'event') {
    await ports.jobs.send(replayEvent, { deadLetterId: id }, { key: id });
    return;
  }
  if (!(await ports.replays.sendAgain(letter.source, letter.body))) {
    throw notReplayable('This server has no job of that name any more.');
  }
  // In this order: done twice at the worst, never forgotten.
  await ports.deadLetters.remove(id);
}

export async function discardDeadLetter(
  ports: DeadLetterPorts,
  caller: Caller,
  id: DeadLetterId,
): Promise<void> {
  await letterFor(ports, caller, id);
  await ports.deadLetters.remove(id);
}

async function letterFor(ports: DeadLetterPorts, caller: Caller, id: DeadLetterId): Promise<DeadLetter> {
  requireScope(caller, 'dead_letters:write');
  const letter = await ports.deadLetters.find(id);
  if (letter?.workspaceId === caller.workspaceId) return letter;
  throw new Fault('not_found', { detail: 'There is no such dead letter here.', field: 'id' });
}

function notReplayable(detail: string): Fault {
  return new Fault('not_replayable', { detail });
}
