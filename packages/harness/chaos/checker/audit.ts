import type { Evidence } from './evidence.ts';
import type { KeyStory } from './key-story.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/* I9. Every shard's chain of audit records is whole, as long as its feed, and has a record of whatever was acknowledged. */
export function checkAudit(
  { audit, feed }: Pick<Evidence, 'audit' | 'feed'>,
  stories: ReadonlyMap<number, KeyStory>,
): InvariantVerdict {
  const finding = new Finding('I9');
  let records = 0;
  for (const shard of audit) {
    finding.check();
    records += shard.records;
    if (!shard.ok) finding.violate(`shard ${shard.shard}: ${shard.problem}`);
    const head = feed.find((one) => one.shard === shard.shard)?.headSeq;
    if (shard.ok && head !== undefined && shard.records < head)
      finding.violate(`shard ${shard.shard}: ${shard.records} records for ${head} changes`);
  }
  const deeds = new Set(audit.flatMap((shard) => [...shard.deeds]));
  for (const { keyId, issue, writes } of stories.values()) {
    if (keyId === undefined) continue;
    for (const write of [...(issue === undefined ? [] : [issue]), ...writes]) {
      if (write.outcome !== 'ok') continue;
      finding.check();
      if (!deeds.has(`${keyId} ${deedOf[write.kind]}`))
        finding.violate(`${keyId}: no record of its ${write.kind}`);
    }
  }
  return finding.verdict(`${records} records of ${audit.length} shards`);
}

const deedOf = {
  issue: 'key.issued',
  rotate: 'key.rotated',
  finish: 'key.retired',
  revoke: 'key.revoked',
  suspend: 'key.suspended',
  resume: 'key.resumed',
} as const;
