import { hash } from 'node:crypto';
import {
  type DocumentRecord,
  idFromUuidBytes,
  type KeyspaceId,
  type NoteId,
  shardOfId,
  uuidBytesOf,
  uuidV8FromHash,
  type WorkspaceId,
  withBody,
} from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { statusBlockSize, statusListEntries, statusListsKnownMax } from '../limits.ts';
import { houseActor } from '../signing-keys/rotate-signing-keys.ts';

/*
 * Places in the status lists of a keyspace. No two tokens share one, and where a token stands says nothing of when it was
 * made: the n-th place is where a permutation of the list puts n, by a seed of that list. The count is a note in the store,
 * which a server raises by a block of places at a time and hands out from memory. What it holds when it dies is never used.
 */

export interface StatusPlace {
  readonly list: number;
  readonly index: number;
}

type PlacePorts = Pick<UseCasePorts, 'lanes' | 'shards' | 'random'>;

interface Block {
  readonly list: number;
  readonly seed: string;
  next: number;
  readonly end: number;
}

export class StatusPlaces {
  readonly #ports: PlacePorts;
  readonly #blocks = new Map<KeyspaceId, Block>();
  /** Of each keyspace one at a time, so that a thousand tokens at once take one block and not a thousand. */
  readonly #reserving = new Map<KeyspaceId, Promise<Block>>();

  constructor(ports: PlacePorts) {
    this.#ports = ports;
  }

  async take(keyspaceId: KeyspaceId, workspaceId: WorkspaceId): Promise<StatusPlace> {
    for (;;) {
      const block = this.#blocks.get(keyspaceId);
      if (block !== undefined && block.next < block.end) {
        const count = block.next;
        block.next += 1;
        return { list: block.list, index: permuted(block.seed, count) };
      }
      await this.#reserve(keyspaceId, workspaceId);
    }
  }

  async #reserve(keyspaceId: KeyspaceId, workspaceId: WorkspaceId): Promise<void> {
    const underWay = this.#reserving.get(keyspaceId) ?? this.#reserveNow(keyspaceId, workspaceId);
    this.#reserving.set(keyspaceId, underWay);
    try {
      await underWay;
    } finally {
      this.#reserving.delete(keyspaceId);
    }
  }

  async #reserveNow(keyspaceId: KeyspaceId, workspaceId: WorkspaceId): Promise<Block> {
    const { lanes, shards, random } = this.#ports;
    const id = statusNoteId(keyspaceId);
    const freshSeed = Buffer.from(random.bytes(16)).toString('base64url');
    const { reply } = await lanes.submit<Block>({
      shard: shardOfId(keyspaceId, shards),
      weight: 1,
      actor: houseActor(workspaceId),
      reads: { documents: [id] },
      decide(view, nowMs) {
        const before = view.document(id);
        const body = nextBlock(before, freshSeed);
        const after: DocumentRecord =
          before === undefined
            ? { id, workspaceId, body, createdAtMs: nowMs, updatedAtMs: nowMs, revision: 1 }
            : withBody(before, body, nowMs);
        const { list, seed, used } = body;
        return {
          changes: [],
          documents: [after],
          reply: { list, seed, next: used - statusBlockSize, end: used },
        };
      },
    });
    const block = { ...reply };
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size < statusListsKnownMax) break;
      this.#blocks.delete(oldest);
    }
    this.#blocks.set(keyspaceId, block);
    return block;
  }
}

interface StatusBody {
  readonly [name: string]: string | number;
  readonly list: number;
  readonly seed: string;
  readonly used: number;
}

/** One block more; a full list is followed by another one, with a seed of its own. */
function nextBlock(before: DocumentRecord | undefined, freshSeed: string): StatusBody {
  const known = before && {
    list: Number(before.body.list),
    seed: String(before.body.seed),
    used: Number(before.body.used),
  };
  if (known === undefined) return { list: 0, seed: freshSeed, used: statusBlockSize };
  if (known.used + statusBlockSize <= statusListEntries)
    return { ...known, used: known.used + statusBlockSize };
  return { list: known.list + 1, seed: freshSeed, used: statusBlockSize };
}

/** How many lists a keyspace has; 0: none of its tokens has a place yet. */
export function statusListsOf(note: DocumentRecord | undefined): number {
  return note === undefined ? 0 : Number(note.body.list) + 1;
}

export function statusNoteId(keyspaceId: KeyspaceId): NoteId {
  const bytes = uuidV8FromHash(hash('sha256', `status lists\0${keyspaceId}`, 'buffer'));
  bytes[15] = uuidBytesOf(keyspaceId)[15] ?? 0;
  return idFromUuidBytes('note', bytes);
}

const halfBits = Math.log2(statusListEntries) / 2;
const halfMask = 2 ** halfBits - 1;
const rounds = 4;

/** A Feistel network over the places of a list: every number below its length goes to another one, and no two to the same. */
export function permuted(seed: string, count: number): number {
  let left = count >>> halfBits;
  let right = count & halfMask;
  for (let round = 0; round < rounds; round += 1) {
    const mixed = hash('sha256', `${seed} ${round} ${right}`, 'buffer').readUInt16BE(0) & halfMask;
    [left, right] = [right, left ^ mixed];
  }
  return (left << halfBits) | right;
}
