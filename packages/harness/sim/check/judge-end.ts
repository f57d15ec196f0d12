import { type KeyId, parseId, uuidHexOf } from '@keyswarm/core';
import { verifyAudit } from '@keyswarm/server/rooms/feed/verify-audit';
import type { ResidentVerifier } from '@keyswarm/verifier';
import type { Cluster } from '../nodes/cluster.ts';
import type { KnownSecret } from '../work/key-book.ts';
import { allows } from './allows.ts';
import type { Truth } from './truth.ts';
import { Violation } from './violation.ts';

/** What every shard's feed and audit chain are by now. */
export async function judgeStore(cluster: Cluster, acked: readonly string[], truth: Truth): Promise<void> {
  const { heads, feed, audit } = cluster.engine.tables;
  for (const { shard, seq } of heads.rows.values()) {
    const seqs = [...feed.rows.values()].filter((row) => row.shard === shard).map((row) => row.seq);
    const first = seqs.length === 0 ? seq + 1 : Math.min(...seqs);
    if (seqs.length !== seq + 1 - first)
      throw new Violation('I6', `the feed of shard ${shard} has a hole between ${first} and ${seq}`);
    const check = await verifyAudit(cluster.operator, shard);
    if (!check.ok) throw new Violation('I9', `record ${check.seq} of shard ${shard} is ${check.reason}`);
    const records = [...audit.rows.values()].filter((row) => row.shard === shard).length;
    if (records !== seq)
      throw new Violation('I9', `shard ${shard} has ${records} records and ends at ${seq}`);
  }
  const lost = acked.find((id) => truth.auditsOfRequest.get(id) === undefined);
  if (lost !== undefined) throw new Violation('I2', `${lost} was acknowledged, and left no record`);
}

/** Does a table hold all that the feed tells up to where it stands? */
export function judgeTable(name: string, resident: ResidentVerifier, truth: Truth): void {
  if (!resident.ready) return;
  const { epoch, seqs } = resident.applied();
  const known = new Map<string, number>();
  for (const item of resident.facts()) if (item.kind === 'key') known.set(item.fact.id, item.fact.revision);
  const wanted = new Map<string, number>();
  for (const { event, subject, shard, seq, epoch: of, revision } of truth.audits) {
    if (!event.startsWith('key.') || of > epoch || (of === epoch && seq > (seqs[shard] ?? 0))) continue;
    wanted.set(subject, Math.max(wanted.get(subject) ?? 0, revision));
  }
  for (const [subject, revision] of wanted) {
    const id = parseId('key', subject);
    const has = known.get(subject) ?? 0;
    if (id === undefined || has >= revision || (has === 0 && isForgotten(id, truth))) continue;
    throw new Violation(
      'I6',
      `${name} stands at ${seqs.join()} and has revision ${has} of ${id}, not ${revision}`,
    );
  }
}

/** A table may let go of a key that nothing can bring back. */
function isForgotten(id: KeyId, truth: Truth): boolean {
  const last = truth.keys.get(uuidHexOf(id))?.last?.state.key;
  return last === undefined || last.state === 'revoked' || last.expires_at !== null;
}

/** Every good secret is good everywhere, and every other one nowhere. */
export function judgeVerdicts(cluster: Cluster, secrets: readonly KnownSecret[], truth: Truth): void {
  const wallMs = cluster.engine.wallMs();
  const wall = { earliestMs: wallMs, latestMs: wallMs };
  for (const { name, service } of [...cluster.nodes, ...cluster.servers]) {
    if (service === undefined) throw new Violation('I8', `${name} is not up`);
    const { resident, follower } = service;
    if (follower.state.kind !== 'following')
      throw new Violation('I8', `${name} is ${follower.state.kind}, though nothing is wrong any more`);
    for (const { key, version, text } of secrets) {
      const uuid = uuidHexOf(key.id);
      const moment = truth.keys.get(uuid)?.last?.state;
      const owner = moment && truth.owners.get(moment.key.owner_id)?.last?.state;
      const keyspace = moment && truth.keyspaces.get(moment.key.keyspace_id)?.last?.state;
      if (moment === undefined || owner === undefined || keyspace === undefined) continue;
      const end =
        moment.key.expires_at ?? moment.versions.find((each) => each.number === version)?.retires_at;
      if (end !== null && end !== undefined && Math.abs(end - wallMs) < 10_000) continue;
      const isGood = allows({ key: moment, owner, keyspace }, version, wall);
      const answer = resident.verify(text, { keyspace: key.keyspace });
      if (answer.valid === isGood) continue;
      const said = `${name} says ${answer.code} of version ${version} of ${key.id}`;
      throw new Violation(
        'I8',
        `${said}, which is ${isGood ? 'good' : 'not good'}, though nothing is wrong any more`,
      );
    }
  }
}
