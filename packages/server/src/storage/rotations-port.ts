import type { KeyId, KeyspaceId, OwnerId, VersionUse, WorkspaceId } from '@keyswarm/core';

/** A keyspace with rules for the rotation of its keys. */
export interface RuledKeyspace {
  readonly id: KeyspaceId;
  readonly workspaceId: WorkspaceId;
  readonly rotateAfterSeconds: number | null;
  readonly settleSeconds: number | null;
}

export interface KeyPlace {
  readonly id: KeyId;
  readonly ownerId: OwnerId;
}

export interface SettlingKey extends KeyPlace {
  /** Of the version in grace, where there is one, and of the newest. */
  readonly uses: readonly VersionUse[];
}

/** What periodic work on rotations looks for. Of all workspaces; nothing of it is locked, so it is decided on anew. */
export interface RotationsReader {
  /** Ascending by id; those without a rule are left out. */
  ruled(): Promise<readonly RuledKeyspace[]>;
  /**
   * Keys of a keyspace and shard whose rotation may have settled: the new version was first used `settleSeconds` ago,
   * and the old one not for `silentSeconds`. Ascending by id.
   */
  settling(asked: {
    readonly shard: number;
    readonly keyspaceId: KeyspaceId;
    readonly settleSeconds: number;
    readonly silentSeconds: number;
    readonly after: KeyId | null;
    readonly limit: number;
  }): Promise<readonly SettlingKey[]>;
  /** The next keys of a keyspace and shard, and which of them may be due. */
  aging(asked: {
    readonly shard: number;
    readonly keyspaceId: KeyspaceId;
    readonly rotateAfterSeconds: number;
    readonly after: KeyId | null;
    readonly limit: number;
  }): Promise<AgingPage>;
}

export interface AgingPage {
  readonly looked: number;
  readonly due: readonly KeyPlace[];
  /** The last key that was looked at; null: there are no more. */
  readonly last: KeyId | null;
}
