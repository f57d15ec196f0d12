import {
  assert,
  Fault,
  type FeedPosition,
  isScope,
  type KeyRecord,
  type Secret,
  shardOfHash,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf, placesOf } from '../access/change-place.ts';
import { requireAnywhere } from '../access/grants.ts';
import { orFault } from '../access/or-fault.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { KeyspaceEntry } from '../keyspaces/keyspace-directory.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { type KeyTerms, type Refusal, refusalOf } from './key-terms.ts';
import { mintToken } from './mint-token.ts';
import { type MintedVersion, mintVersion, noProof, refuseProof } from './mint-version.ts';
import { Additions, findKeyspaceFor, type NewKey, prepareKey, readsOf } from './new-keys.ts';

export interface MintedKey {
  readonly key: KeyRecord;
  /** Undefined: the key has a public key. */
  readonly secret: Secret | undefined;
}

export interface IssuedKey extends MintedKey {
  /** Where it stands in the feed. */
  readonly at: FeedPosition;
}

type MintResult = { readonly issued: MintedKey } | { readonly refused: Refusal };
export type IssueResult = { readonly issued: IssuedKey } | { readonly refused: Refusal };

interface Prepared extends NewKey {
  readonly minted: MintedVersion;
}

/**
 * Makes one key with its first version. The secret is in what is returned and nowhere else. A fault in place of the terms
 * refuses it in the write: what it is about may have changed since the same request had a reply, which then comes again.
 */
export async function issueOneKey(
  ports: UseCasePorts,
  caller: Caller,
  item: KeyTerms | Fault,
  idempotency: IdempotencyScope | undefined,
): Promise<IssuedKey> {
  requireAnywhere(caller, 'keys:issue');
  const ticket = idempotency?.ticket<MintedKey>();
  const lastByte = lastByteForNew(ports, 1);
  const prepared = item instanceof Fault ? item : await prepare(ports, caller, item, lastByte);
  const receipt = await ports.lanes.submit<MintedKey>({
    shard: shardOfHash(Uint8Array.of(lastByte), ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: prepared instanceof Fault ? {} : readsOf([prepared]),
    decide(view, nowMs) {
      if (prepared instanceof Fault) throw prepared;
      const additions = new Additions(caller, view, nowMs);
      const key = additions.add(prepared);
      return {
        changes: additions.changes,
        newOwners: additions.newOwners,
        reply: { key, secret: prepared.minted.secret },
      };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { ...receipt.reply, at: placeOf(receipt) };
}

/**
 * Up to a thousand keys in one write of one shard, each issued or refused by itself: results come in the order
 * of the request, and those that are issued become durable together.
 */
export async function issueManyKeys(
  ports: UseCasePorts,
  caller: Caller,
  items: readonly (KeyTerms | Fault)[],
  idempotency: IdempotencyScope | undefined,
): Promise<readonly IssueResult[]> {
  requireAnywhere(caller, 'keys:issue');
  const ticket = idempotency?.ticket<readonly MintResult[]>();
  const lastByte = lastByteForNew(ports, items.length);
  const prepared: (Prepared | Fault)[] = [];
  for (const item of items) {
    prepared.push(item instanceof Fault ? item : await orFault(prepare(ports, caller, item, lastByte)));
  }
  const wishes = prepared.filter((item): item is Prepared => !(item instanceof Fault));
  const receipt = await ports.lanes.submit<readonly MintResult[]>({
    shard: shardOfHash(Uint8Array.of(lastByte), ports.shards),
    weight: items.length,
    actor: actorOf(caller),
    reads: readsOf(wishes),
    decide(view, nowMs) {
      const additions = new Additions(caller, view, nowMs);
      const reply = prepared.map((item) => issueItem(additions, item));
      return { changes: additions.changes, newOwners: additions.newOwners, reply };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  const places = placesOf(receipt, receipt.reply.filter((result) => 'issued' in result).length).values();
  return receipt.reply.map((result) => {
    if ('refused' in result) return result;
    const { value: at } = places.next();
    assert(at !== undefined, 'every key that was issued has its place');
    return { issued: { ...result.issued, at } };
  });
}

function issueItem(additions: Additions, item: Prepared | Fault): MintResult {
  if (item instanceof Fault) return { refused: refusalOf(item) };
  try {
    return { issued: { key: additions.add(item), secret: item.minted.secret } };
  } catch (error) {
    if (error instanceof Fault) return { refused: refusalOf(error) };
    throw error;
  }
}

async function prepare(
  ports: UseCasePorts,
  caller: Caller,
  terms: KeyTerms,
  lastByte: number,
): Promise<Prepared | Fault> {
  const keyspace = await findKeyspaceFor(ports, caller, terms, 'keys:issue');
  if (keyspace.format === 'jwt') return await prepareToken(ports, caller, { terms, keyspace, lastByte });
  const minted = mintVersion(ports, keyspace.prefix, terms.proof);
  const { fingerprint, proofFor } = minted;
  return { ...prepareKey(ports, caller, { terms, keyspace, fingerprint, proofFor, lastByte }), minted };
}

/**
 * A key that is a token: it has to be signed before its record is decided on, so its end is settled here. That the keyspace
 * has none for it is for the write to say, as all that may change is.
 */
async function prepareToken(
  ports: UseCasePorts,
  caller: Caller,
  wish: { readonly terms: KeyTerms; readonly keyspace: KeyspaceEntry; readonly lastByte: number },
): Promise<Prepared | Fault> {
  const { terms } = wish;
  refuseProof(terms.proof);
  checkTokenTerms(terms);
  const draft = prepareKey(ports, caller, { ...wish, fingerprint: noFingerprint, proofFor: noProof });
  const token = {
    keyId: draft.id,
    ownerId: draft.ownerId,
    scopes: terms.scopes,
    notBeforeMs: terms.notBeforeMs ?? null,
    ttlSeconds: terms.ttlSeconds,
    expiresAtMs: terms.expiresAtMs,
    version: 1,
  };
  const minted = await orFault(mintToken(ports, caller.workspaceId, wish.keyspace, token));
  if (minted instanceof Fault) return minted;
  const { ttlSeconds: _settled, ...others } = terms;
  const traits = { ...terms.traits, tokens: [minted.status] };
  const settled = { ...others, expiresAtMs: minted.expiresAtMs, traits };
  return {
    ...draft,
    terms: settled,
    fingerprint: minted.fingerprint,
    minted: { ...minted, proofFor: noProof },
  };
}

const noFingerprint = new Uint8Array(32);

/** What goes into a token is looked at before it is signed; the decision looks at all of it again. */
function checkTokenTerms({ scopes, ttlSeconds, expiresAtMs }: KeyTerms): void {
  const malformed = scopes.findIndex((scope) => !isScope(scope));
  if (malformed !== -1) {
    throw new Fault('invalid_scope', {
      detail: 'The scope is not well formed.',
      field: `/scopes/${malformed}`,
      expected: 'segments of a-z, 0-9, ".", "_" and "-" joined by ":", the last may be "*"',
    });
  }
  if (ttlSeconds !== undefined && expiresAtMs !== undefined) {
    throw new Fault('expiry_conflict', {
      detail: 'Both a time to live and an expiry were given.',
      field: '/ttl_seconds',
      expected: 'one of ttl_seconds and expires_at',
    });
  }
}

/**
 * The last byte of a new id names its shard: where the lanes would best have it. A kept reply stands in the shard of
 * its own hash wherever the keys are, so a retry finds it though it would have been sent to another lane.
 */
function lastByteForNew({ lanes, random, shards }: UseCasePorts, weight: number): number {
  const byte = random.bytes(1).at(0) ?? 0;
  return byte - (byte % shards) + lanes.shardForNew(weight);
}
