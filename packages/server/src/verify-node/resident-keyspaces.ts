import {
  builtinKeyspaceName,
  type FeedRow,
  type KeyspaceFact,
  type KeyspaceId,
  parseId,
  type WorkspaceId,
} from '@keyswarm/core';
import type { FeedStretch, ResidentVerifier } from '@keyswarm/verifier';
import type { KeyspaceFinder } from '../access/feed-scope.ts';

export interface KeyspaceSeen {
  readonly id: KeyspaceId;
  readonly name: string;
}

/**
 * Which keyspaces are resident here, by id: what the keyspace directory of a server asks its store for. Fed by the same
 * observer calls as a relay, so it is as fresh as the table. A node follows some thousands of keyspaces at the most,
 * and an entry takes some 200 bytes.
 */
export class ResidentKeyspaces {
  readonly #entries = new Map<KeyspaceId, Pick<KeyspaceFact, 'id' | 'workspaceId' | 'name'>>();
  /** By workspace and name, which never changes. */
  readonly #byName = new Map<string, KeyspaceId>();
  #holdsBuiltin = false;

  /** Is the keyspace of the management keys among them? */
  get holdsBuiltin(): boolean {
    return this.#holdsBuiltin;
  }

  /** That of the credential, whose feed brings no other; undefined while nothing is known. */
  get workspaceId(): WorkspaceId | undefined {
    for (const { workspaceId } of this.#entries.values()) return workspaceId;
    return undefined;
  }

  get size(): number {
    return this.#entries.size;
  }

  applied({ rows }: Pick<FeedStretch, 'rows'>): void {
    for (const { keyspace } of rows as readonly Pick<FeedRow, 'keyspace'>[]) {
      if (keyspace !== null) this.#note(keyspace);
    }
  }

  /** Another table took over, which holds these. */
  reloaded(verifier: Pick<ResidentVerifier, 'facts'>): void {
    this.#entries.clear();
    this.#byName.clear();
    this.#holdsBuiltin = false;
    for (const fact of verifier.facts({})) {
      // They come before all else.
      if (fact.kind !== 'keyspace') break;
      this.#note(fact.fact);
    }
  }

  find(workspaceId: WorkspaceId, idOrName: string): KeyspaceSeen | undefined {
    const id = parseId('ks', idOrName) ?? this.#byName.get(`${workspaceId} ${idOrName}`);
    const entry = id === undefined ? undefined : this.#entries.get(id);
    return entry?.workspaceId === workspaceId ? entry : undefined;
  }

  #note({ id, workspaceId, name }: KeyspaceFact): void {
    this.#entries.set(id, { id, workspaceId, name });
    this.#byName.set(`${workspaceId} ${name}`, id);
    if (name === builtinKeyspaceName) this.#holdsBuiltin = true;
  }
}

/** As a use-case asks for them: a keyspace that isn't known may have been made a moment ago, elsewhere. */
export function residentDirectory(
  keyspaces: Pick<ResidentKeyspaces, 'find'>,
  catchUp: () => Promise<void>,
): KeyspaceFinder {
  return {
    async find(workspaceId, idOrName) {
      const known = keyspaces.find(workspaceId, idOrName);
      if (known !== undefined) return known;
      await catchUp();
      return keyspaces.find(workspaceId, idOrName);
    },
  };
}
