import { isAcceptance } from '../history/operation.ts';
import type { KeyStory } from './key-story.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/*
 * I5. Nobody accepts a key that has expired, or a version whose grace is over. And whoever has said `revoked` of a key, or `expired`
 * of a version, never says `valid` of it again, not after a restart either.
 */
export function checkExpiryAndRefusal(stories: ReadonlyMap<number, KeyStory>): InvariantVerdict {
  const finding = new Finding('I5');
  let pastExpiry = 0;
  let pastRefusal = 0;
  for (const story of stories.values()) {
    const refusedMs = new Map<string, number>();
    for (const verify of story.verifies) {
      if (verify.outcome !== 'ok') continue;
      const version = verify.version ?? 1;
      const accepted = isAcceptance(verify);
      if (verify.invokedWallMs > endOf(story, version)) {
        pastExpiry += 1;
        finding.check();
        if (accepted)
          finding.violate(`key ${story.key} version ${version} had expired, and ${verify.at} accepted it`);
      }
      const place = `${verify.at} ${version}`;
      const before = refusedMs.get(place);
      if (before !== undefined && verify.invokedMs > before) {
        pastRefusal += 1;
        finding.check();
        if (accepted)
          finding.violate(`key ${story.key}: ${verify.at} had refused it for good, and accepted it`);
      }
      if (verify.code === 'revoked' || verify.code === 'expired')
        refusedMs.set(place, Math.min(before ?? Number.POSITIVE_INFINITY, verify.settledMs));
    }
  }
  return finding.verdict(
    `asked again after its end ${pastExpiry} times, after a final refusal ${pastRefusal} times`,
  );
}

function endOf(story: KeyStory, version: number): number {
  const next = story.writes.find(
    ({ kind, outcome, result }) => kind === 'rotate' && outcome === 'ok' && result.version === version + 1,
  );
  return Math.min(story.expiresAtMs, next?.result.retiresAtMs ?? Number.POSITIVE_INFINITY);
}
