import { isAcceptance } from '../history/operation.ts';
import { inUseWindowMs, useToldWithinMs } from '../limits.ts';
import type { Evidence, FinalKey } from './evidence.ts';
import { type KeyStory, type LogicalWrite, makerOf } from './key-story.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/*
 * I7. At every instant of a rotation one version works at least (I3 holds for each of them), and two do at the most; and the old
 * one is not retired while it is in use, unless somebody forces it. What a verifier accepted in the last seconds is not known yet to
 * the server that is asked (decision 15).
 */
export function checkOverlap(
  { finalKeys, boundsMs }: Pick<Evidence, 'finalKeys' | 'boundsMs'>,
  stories: ReadonlyMap<number, KeyStory>,
): InvariantVerdict {
  const finding = new Finding('I7');
  for (const key of finalKeys) checkLive(key, finding);
  let finished = 0;
  let refused = 0;
  for (const story of stories.values()) {
    checkThirdVersion(story, boundsMs.get(story.keyspace) ?? Number.NaN, finding);
    for (const read of story.reads) {
      if (read.result?.liveVersions === undefined) continue;
      finding.check();
      if (read.result.liveVersions > 2)
        finding.violate(`key ${story.key} had ${read.result.liveVersions} live versions`);
    }
    for (const write of story.writes) {
      if (write.kind !== 'finish') continue;
      if (write.outcome === 'fail') refused += 1;
      if (write.outcome !== 'ok' || write.force) continue;
      finished += 1;
      checkInUse(story, write, finding);
    }
  }
  return finding.verdict(`${finished} finished on evidence, ${refused} refused`);
}

function checkLive({ name, state, versions }: FinalKey, finding: Finding): void {
  const live = versions.filter((version) => version.state !== 'retired').length;
  finding.check();
  if (live > 2) finding.violate(`${name} has ${live} live versions`);
  if (live < 1 && (state === 'active' || state === 'suspended'))
    finding.violate(`${name} has no live version`);
}

/** Once version n is acknowledged, n − 2 is ended at everybody within T. */
function checkThirdVersion(story: KeyStory, boundMs: number, finding: Finding): void {
  const rotations = story.writes.filter(({ kind, outcome }) => kind === 'rotate' && outcome === 'ok');
  for (const { settledMs, result } of rotations) {
    const made = result.version ?? 0;
    if (made < 3) continue;
    finding.check();
    const third = story.verifies.find(
      (verify) =>
        isAcceptance(verify) && (verify.version ?? 1) <= made - 2 && verify.invokedMs > settledMs + boundMs,
    );
    if (third !== undefined)
      finding.violate(
        `key ${story.key}: version ${third.version} worked beside ${made - 1} and ${made} at ${third.at}`,
      );
  }
}

function checkInUse(story: KeyStory, finish: LogicalWrite, finding: Finding): void {
  const made = finish.result.version ?? 0;
  const maker = makerOf(story, made);
  if (maker === undefined) return;
  finding.check();
  const fromMs = Math.max(maker.settledMs, finish.invokedMs - inUseWindowMs);
  const untilMs = finish.invokedMs - useToldWithinMs;
  const use = story.verifies.find(
    (verify) =>
      isAcceptance(verify) &&
      verify.version === made - 1 &&
      verify.invokedMs > fromMs &&
      verify.settledMs < untilMs,
  );
  if (use !== undefined)
    finding.violate(
      `key ${story.key}: version ${made - 1} was retired though ${use.at} had accepted it ${((finish.invokedMs - use.settledMs) / 1000).toFixed(1)} s before`,
    );
}
