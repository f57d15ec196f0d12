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
  readonly keyspaceId: KeyspaceId;
  /** Of the version in grace, where there is one, and of the newest. */
  readonly uses: readonly VersionUse[];
}

/** A grace in the order of their ends. */
export interface GracePlace {
  readonly retiresAtMs: number;
  readonly id: KeyId;
}

export interface SettlingPage {
  readonly looked: number;
  readonly keys: readonly SettlingKey[];
  /** The last grace that was looked at; null: there are no more. */
  readonly last: GracePlace | null;
}

export interface SettlingRule {
  readonly keyspaceId: KeyspaceId;
  readonly settleSeconds: number;
  /** For how long the old version has to have been silent. */
  readonly silentSeconds: number;
}

/** What periodic work on rotations looks for. Of all workspaces; nothing of it is locked, so it is decided on anew. */
export interface RotationsReader {
  /** Ascending by id; those without a rule are left out. */
  ruled(): Promise<readonly RuledKeyspace[]>;
  /** The next graces of a shard, and those of keyspaces with a rule that may have settled by it. */
  settling(asked: {
    readonly shard: number;
    readonly rules: readonly SettlingRule[];
    readonly after: GracePlace | null;
    readonly limit: number;
  }): Promise<SettlingPage>;
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
