import type { KeyStory } from './key-story.ts';
import { isSurelyValid } from './surely-valid.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/*
 * I3. A key that is valid during the whole request is told so, or is told to come again (503, 429). No reply at all is no refusal.
 */
export function checkFalseReject(stories: ReadonlyMap<number, KeyStory>): InvariantVerdict {
  const finding = new Finding('I3');
  let away = 0;
  for (const story of stories.values()) {
    for (const verify of story.verifies) {
      if (verify.outcome === 'unknown' || !isSurelyValid(story, verify)) continue;
      finding.check();
      if (verify.outcome === 'fail') away += 1;
      if (isTold(verify.status, verify.code)) continue;
      finding.violate(
        `key ${story.key} version ${verify.version ?? 1} was valid, and ${verify.at} said ${verify.status} ${verify.code}`,
      );
    }
  }
  return finding.verdict(`${away} were told to come again, none was refused`);
}

function isTold(status: number, code: string): boolean {
  return (status === 200 && code === 'valid') || status === 503 || status === 429;
}
