import type { Operation } from '../history/operation.ts';
import { expiryMarginMs } from '../limits.ts';
import { type KeyStory, makerOf, rotationsAfter } from './key-story.ts';

/*
 * Is it certain that the key was valid all through this verification? Only then may a refusal be called false. Everything that may
 * have ended it, acknowledged or unknown, makes it uncertain: the worse error here is to accuse.
 */
export function isSurelyValid(story: KeyStory, verify: Operation): boolean {
  const version = verify.version ?? 1;
  const maker = makerOf(story, version);
  if (maker === undefined || maker.settledMs > verify.invokedMs) return false;
  const endedWallMs = verify.invokedWallMs + (verify.settledMs - verify.invokedMs);
  if (endedWallMs + expiryMarginMs >= story.expiresAtMs) return false;
  return !mayHaveEnded(story, verify) && !mayBeRetired(story, verify, { version, endedWallMs });
}

function mayHaveEnded(story: KeyStory, verify: Operation): boolean {
  return story.writes.some((write) => {
    if (write.outcome === 'fail' || write.invokedMs >= verify.settledMs) return false;
    if (write.kind === 'revoke') return true;
    if (write.kind !== 'suspend') return false;
    const isUndone = story.writes.some(
      (later) =>
        later.kind === 'resume' &&
        later.outcome === 'ok' &&
        later.invokedMs >= write.settledMs &&
        later.settledMs <= verify.invokedMs,
    );
    return !isUndone;
  });
}

/** The old version works until its grace ends; a finish that was asked for, or a third version, may end it at any time. */
function mayBeRetired(
  story: KeyStory,
  verify: Operation,
  { version, endedWallMs }: { readonly version: number; readonly endedWallMs: number },
): boolean {
  const later = rotationsAfter(story, version).filter(({ invokedMs }) => invokedMs < verify.settledMs);
  const [next] = later;
  if (next === undefined) return false;
  if (later.length > 1) return true;
  const isFinished = story.writes.some(
    ({ kind, outcome, invokedMs }) =>
      kind === 'finish' && outcome !== 'fail' && invokedMs < verify.settledMs && invokedMs > next.invokedMs,
  );
  if (isFinished) return true;
  const graceEndsMs = next.result.retiresAtMs ?? next.invokedWallMs + next.graceMs;
  return endedWallMs + expiryMarginMs >= graceEndsMs;
}
