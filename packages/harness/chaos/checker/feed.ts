import type { Evidence, FeedEntry, SeenEvent, ShardOfFeed } from './evidence.ts';
import type { KeyStory } from './key-story.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/*
 * I6. In the store every shard's feed runs from its first row to its head without a hole, and tells of a key in the order of its
 * revisions. A reader of /v1/events, which went on through every fault, was given those of its workspace once and in that order. And
 * whatever was acknowledged is in it.
 */
export function checkFeed(
  { feed, events }: Pick<Evidence, 'feed' | 'events'>,
  stories: ReadonlyMap<number, KeyStory>,
): InvariantVerdict {
  const finding = new Finding('I6');
  for (const shard of feed) checkShard(shard, finding);
  checkEvents(events, feed, finding);
  checkAcked(feed, stories, finding);
  const rows = feed.reduce((sum, shard) => sum + shard.rows.length, 0);
  return finding.verdict(`${rows} rows of ${feed.length} shards, ${events.length} events read by the API`);
}

function checkShard({ shard, headSeq, rows }: ShardOfFeed, finding: Finding): void {
  const revisions = new Map<string, number>();
  let last = (rows[0]?.seq ?? headSeq + 1) - 1;
  for (const { seq, subject, revision } of rows) {
    finding.check();
    if (seq !== last + 1) finding.violate(`shard ${shard}: ${seq} follows ${last}`);
    last = seq;
    if (revision === undefined) continue;
    const before = revisions.get(subject) ?? 0;
    if (revision < before)
      finding.violate(`shard ${shard}: ${subject} goes from revision ${before} to ${revision}`);
    revisions.set(subject, revision);
  }
  if (last !== headSeq) finding.violate(`shard ${shard}: its head is ${headSeq}, its last row ${last}`);
}

function checkEvents(events: readonly SeenEvent[], feed: readonly ShardOfFeed[], finding: Finding): void {
  const last = new Map<number, number>();
  const seen = new Set<string>();
  for (const { epoch, shard, seq } of events) {
    finding.check();
    if (seq <= (last.get(shard) ?? 0))
      finding.violate(`events of shard ${shard}: ${seq} came after ${last.get(shard)} (epoch ${epoch})`);
    last.set(shard, Math.max(seq, last.get(shard) ?? 0));
    seen.add(`${shard} ${seq}`);
  }
  if (events.length === 0) return;
  for (const { shard, rows } of feed) {
    const untold = rows.filter((row) => isOfKeys(row) && !seen.has(`${shard} ${row.seq}`));
    for (const { seq, type } of untold)
      finding.violate(`shard ${shard}: ${seq} (${type}) was never told by the API`);
  }
}

function isOfKeys({ subject, type }: FeedEntry): boolean {
  return subject.startsWith('key_') && type.startsWith('key.');
}

const typeOf: Readonly<Record<string, string>> = {
  issue: 'key.issued',
  rotate: 'key.rotated',
  revoke: 'key.revoked',
  suspend: 'key.suspended',
  resume: 'key.resumed',
  finish: 'key.retired',
};

function checkAcked(
  feed: readonly ShardOfFeed[],
  stories: ReadonlyMap<number, KeyStory>,
  finding: Finding,
): void {
  const told = new Map<string, number>();
  for (const { rows } of feed) {
    for (const { subject, type } of rows)
      told.set(`${subject} ${type}`, (told.get(`${subject} ${type}`) ?? 0) + 1);
  }
  for (const { keyId, issue, writes } of stories.values()) {
    if (keyId === undefined) continue;
    for (const [kind, type] of Object.entries(typeOf)) {
      const own = [...(issue === undefined ? [] : [issue]), ...writes].filter((write) => write.kind === kind);
      const acked = own.filter(({ outcome }) => outcome === 'ok').length;
      const unknown = own.filter(({ outcome }) => outcome === 'unknown').length;
      const count = told.get(`${keyId} ${type}`) ?? 0;
      if (acked === 0 && count === 0) continue;
      finding.check();
      if (count < acked)
        finding.violate(`${keyId}: ${acked} times ${kind} acknowledged, ${count} times ${type} in the feed`);
      // A cut of a version in grace retires as well, and so does the end of a grace.
      if (kind !== 'finish' && count > acked + unknown)
        finding.violate(`${keyId}: ${type} ${count} times in the feed, asked for ${acked + unknown} times`);
    }
  }
}
