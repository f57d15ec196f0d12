import {
  isBuiltinKeyspace,
  type KeyFormat,
  type KeyspaceId,
  type KeyspaceRecord,
  parseId,
  type WorkspaceId,
} from '@keyswarm/core';
import { keyspaceEntriesMax } from '../limits.ts';
import type { Reader } from '../storage/reader-port.ts';

/** What never changes of a keyspace, so that it can be remembered without asking again. */
export interface KeyspaceEntry {
  readonly id: KeyspaceId;
  readonly name: string;
  readonly prefix: string;
  readonly format: KeyFormat;
  readonly isBuiltin: boolean;
}

/**
 * From a keyspace's id or name to both. Every write names a keyspace and every authorization asks for its name;
 * without this, each would begin with a query. Only what is found is remembered: a keyspace may be created at
 * any moment, by another process too.
 *
 * Callers that ask for the same one at the same moment share a read: a first burst would else be as many queries. One
 * that is told "not there" by a read which began before it asked looks for itself.
 */
export class KeyspaceDirectory {
  readonly #reader: Pick<Reader, 'keyspace' | 'keyspaceByName'>;
  readonly #entriesMax: number;
  /** By workspace and id or name; the oldest goes first. */
  readonly #entries = new Map<string, KeyspaceEntry>();
  /** Reads under way, by the same name. */
  readonly #asking = new Map<string, Promise<KeyspaceEntry | undefined>>();

  constructor(reader: Pick<Reader, 'keyspace' | 'keyspaceByName'>, entriesMax = keyspaceEntriesMax) {
    this.#reader = reader;
    this.#entriesMax = entriesMax;
  }

  async find(workspaceId: WorkspaceId, idOrName: string): Promise<KeyspaceEntry | undefined> {
    const name = `${workspaceId} ${idOrName}`;
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const underWay = this.#asking.get(name);
    if (underWay !== undefined) return (await underWay) ?? this.#read(workspaceId, idOrName);
    const asking = this.#read(workspaceId, idOrName);
    this.#asking.set(name, asking);
    try {
      return await asking;
    } finally {
      this.#asking.delete(name);
    }
  }

  async #read(workspaceId: WorkspaceId, idOrName: string): Promise<KeyspaceEntry | undefined> {
    const id = parseId('ks', idOrName);
    const record = await (id === undefined
      ? this.#reader.keyspaceByName(workspaceId, idOrName)
      : this.#reader.keyspace(workspaceId, id));
    return record === undefined ? undefined : this.#remember(record);
  }

  #remember(record: KeyspaceRecord): KeyspaceEntry {
    const entry: KeyspaceEntry = {
      id: record.id,
      name: record.name,
      prefix: record.prefix,
      format: record.format,
      isBuiltin: isBuiltinKeyspace(record),
    };
    for (const reference of [record.id, record.name]) {
      this.#entries.set(`${record.workspaceId} ${reference}`, entry);
    }
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#entriesMax) break;
      this.#entries.delete(oldest);
    }
    return entry;
  }
}
