import { isAcceptance, type Operation } from '../history/operation.ts';
import type { Evidence } from './evidence.ts';
import type { KeyStory, LogicalWrite } from './key-story.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/*
 * I1. Once an end was acknowledged at a, nobody accepts the key after a + T. An acceptance counts from when it was asked for: the
 * time between the decision and the reply is not the verifier's (SPEC.md, "What is not covered"). The window that is told is the
 * longest from an acknowledgement to an acceptance that was received after it.
 */

export interface RevocationWindow {
  readonly key: number;
  readonly keyspace: string;
  readonly ackMs: number;
  /** 0: nobody accepted it after the acknowledgement. */
  readonly windowMs: number;
}

interface End {
  readonly write: LogicalWrite;
  readonly endsVersion: (version: number) => boolean;
  /** Acceptances that began later are good again. */
  readonly untilMs: number;
}

export function checkBoundedRevocation(
  { boundsMs }: Pick<Evidence, 'boundsMs'>,
  stories: ReadonlyMap<number, KeyStory>,
): { readonly verdict: InvariantVerdict; readonly windows: readonly RevocationWindow[] } {
  const finding = new Finding('I1');
  const windows: RevocationWindow[] = [];
  let late = 0;
  for (const story of stories.values()) {
    const boundMs = boundsMs.get(story.keyspace) ?? Number.NaN;
    for (const end of endsOf(story)) {
      finding.check();
      const accepted = story.verifies.filter((verify) => isAgainst(end, verify));
      const windowMs = Math.max(0, ...accepted.map(({ settledMs }) => settledMs - end.write.settledMs));
      if (end.write.kind === 'revoke')
        windows.push({ key: story.key, keyspace: story.keyspace, ackMs: end.write.settledMs, windowMs });
      for (const verify of accepted) {
        const afterMs = verify.invokedMs - end.write.settledMs;
        if (afterMs > boundMs || isPastEffectiveBy(end, verify)) {
          finding.violate(
            `key ${story.key}: ${verify.at} was asked ${afterMs.toFixed(1)} ms after the ${end.write.kind} was acknowledged and accepted (T is ${boundMs} ms)`,
          );
        } else if (verify.settledMs - end.write.settledMs > boundMs) late += 1;
      }
    }
  }
  const worstMs = Math.max(0, ...windows.map(({ windowMs }) => windowMs));
  const lateText = late === 0 ? '' : `; ${late} replies came later than T to what was asked before it`;
  return {
    verdict: finding.verdict(
      `worst window ${worstMs.toFixed(1)} ms of ${windows.length} revocations${lateText}`,
    ),
    windows,
  };
}

function endsOf(story: KeyStory): readonly End[] {
  return story.writes.flatMap((write): readonly End[] => {
    if (write.outcome !== 'ok') return [];
    if (write.kind === 'revoke')
      return [{ write, endsVersion: () => true, untilMs: Number.POSITIVE_INFINITY }];
    if (write.kind === 'suspend') {
      const resumes = story.writes.filter(
        ({ kind, outcome, attempts }) =>
          kind === 'resume' &&
          outcome !== 'fail' &&
          attempts.some(({ settledMs }) => settledMs > write.invokedMs),
      );
      const untilMs = Math.min(Number.POSITIVE_INFINITY, ...resumes.map(({ invokedMs }) => invokedMs));
      return untilMs < write.settledMs ? [] : [{ write, endsVersion: () => true, untilMs }];
    }
    if (write.kind !== 'finish') return [];
    const made = write.result.version ?? 0;
    return [{ write, endsVersion: (version) => version < made, untilMs: Number.POSITIVE_INFINITY }];
  });
}

function isAgainst(end: End, verify: Operation): boolean {
  return (
    isAcceptance(verify) &&
    verify.settledMs > end.write.settledMs &&
    verify.invokedMs < end.untilMs &&
    verify.settledMs < end.untilMs &&
    end.endsVersion(verify.version ?? 1)
  );
}

/** What the reply said itself: an instant of the authority's wall clock, which is that of this machine. */
function isPastEffectiveBy({ write }: End, verify: Operation): boolean {
  const { effectiveByMs } = write.result;
  return effectiveByMs !== undefined && verify.invokedWallMs > effectiveByMs + wallRoundingMs;
}

/** Both clocks are read to the millisecond. */
const wallRoundingMs = 1;
