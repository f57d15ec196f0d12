import { assert, Fault, type FeedPosition, type KeyRecord, shardOfHash } from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placesOf } from '../access/change-place.ts';
import { requireAnywhere } from '../access/grants.ts';
import { orFault } from '../access/or-fault.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { type KeyTerms, type Refusal, refusalOf } from './key-terms.ts';
import { requireOpaque } from './mint-token.ts';
import { noProof } from './mint-version.ts';
import { Additions, findKeyspaceFor, hashKnown, type NewKey, prepareKey, readsOf } from './new-keys.ts';
import { claimPlan, type Part, type PartItem, planOf, writeInParts } from './write-in-parts.ts';

/*
 * Keys of a system that is being replaced, by their hashes: their holders go on using the strings they have. A
 * key lives in the shard of its fingerprint, where the store refuses a second one, so the same string can't be
 * imported twice. One request therefore takes a write for each shard that it touches; each of them is atomic, the
 * request is not, and it may be sent again: what is known already says so.
 *
 * A key that was issued here lives in another shard than an import of its hash would. The resident table knows it by
 * its fingerprint, and is asked for that.
 *
 * Management keys are never imported. Whoever has a hash (an old verifier's copy, a backup) doesn't have the string;
 * but a management key says itself of which workspace it is, so that the string of a manager elsewhere, ended there,
 * would open this workspace under whatever was imported for it.
 */

export interface ImportTerms extends KeyTerms {
  readonly fingerprint: Uint8Array;
  readonly format: 'sha256' | 'prefixed_api_key';
}

type AdditionResult = { readonly imported: KeyRecord } | { readonly refused: Refusal };
/** `at`: where it stands in the feed. */
export type ImportResult =
  | { readonly imported: KeyRecord; readonly at: FeedPosition }
  | { readonly refused: Refusal };

export async function importKeys(
  ports: UseCasePorts,
  caller: Caller,
  items: readonly (ImportTerms | Fault)[],
  idempotency: IdempotencyScope | undefined,
): Promise<readonly ImportResult[]> {
  requireAnywhere(caller, 'keys:import');
  const prepared: (NewKey | Fault)[] = [];
  for (const item of items) {
    prepared.push(item instanceof Fault ? item : await orFault(prepare(ports, caller, item)));
  }
  const asked = prepared.map((one) => planOf(one, (wish) => shardOfHash(wish.fingerprint, ports.shards)));
  const plan = await claimPlan(ports, caller, asked, idempotency);
  return await writeInParts(plan, (part) => importInto(ports, caller, { part, prepared, idempotency }));
}

async function importInto(
  ports: UseCasePorts,
  caller: Caller,
  wish: {
    readonly part: Part<PartItem>;
    /** As of now: what the plan left to this part may be refused by the time that it is written. */
    readonly prepared: readonly (NewKey | Fault)[];
    readonly idempotency: IdempotencyScope | undefined;
  },
): Promise<readonly ImportResult[]> {
  const { shard, name, items } = wish.part;
  const group = items.flatMap(({ place }) => wish.prepared[place] ?? []);
  const ticket = wish.idempotency?.ticket<readonly AdditionResult[]>(name);
  const receipt = await ports.lanes.submit<readonly AdditionResult[]>({
    shard,
    weight: group.length,
    actor: actorOf(caller),
    reads: readsOf(group.filter((one): one is NewKey => !(one instanceof Fault))),
    decide(view, nowMs) {
      const additions = new Additions(caller, view, nowMs);
      const reply = group.map((one) => importItem(ports, caller, additions, one));
      return { changes: additions.changes, newOwners: additions.newOwners, reply };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  const places = placesOf(receipt, receipt.reply.filter((result) => 'imported' in result).length).values();
  return receipt.reply.map((result) => {
    if ('refused' in result) return result;
    const { value: at } = places.next();
    assert(at !== undefined, 'every key that was imported has its place');
    return { imported: result.imported, at };
  });
}

function importItem(
  { verifier }: UseCasePorts,
  caller: Caller,
  additions: Additions,
  wish: NewKey | Fault,
): AdditionResult {
  try {
    if (wish instanceof Fault) throw wish;
    // Asked here and not before the write is queued: a request that is replayed gets its first reply.
    if (verifier.knowsFingerprint(wish.fingerprint, caller.workspaceId)) throw hashKnown();
    return { imported: additions.add(wish) };
  } catch (error) {
    if (error instanceof Fault) return { refused: refusalOf(error) };
    throw error;
  }
}

async function prepare(ports: UseCasePorts, caller: Caller, item: ImportTerms): Promise<NewKey> {
  const keyspace = await findKeyspaceFor(ports, caller, item, 'keys:import');
  if (keyspace.isBuiltin) throw managementKeyRefused();
  requireOpaque(keyspace, '/keyspace');
  const { fingerprint, format, ...terms } = item;
  const lastByte = fingerprint.at(-1) ?? 0;
  return prepareKey(ports, caller, {
    terms,
    keyspace,
    fingerprint,
    proofFor: noProof,
    importedFormat: format,
    lastByte,
  });
}

function managementKeyRefused(): Fault {
  return new Fault('builtin_protected', {
    detail: 'Management keys are issued, not imported.',
    field: '/keyspace',
    expected: 'another keyspace',
  });
}
