import type { KeyId, KeyspaceId, UnheardVerifier, UseEvidence, WorkspaceId } from '@keyswarm/core';

/** What is known of the uses of rotating keys: what ending an old version is decided on. */
export interface RotationEvidence {
  /** Of one key, as of now: its uses that are stored or were told to this process, and who is not heard of. */
  of(key: {
    readonly workspaceId: WorkspaceId;
    readonly keyspaceId: KeyspaceId;
    readonly id: KeyId;
  }): Promise<Omit<UseEvidence, 'windowMs'>>;
  /** Who may have accepted keys of the keyspace last without having told; null: all are heard of. */
  unheardIn(workspaceId: WorkspaceId, keyspaceId: KeyspaceId): Promise<UnheardNow | null>;
  /** Stores what was told to this process. */
  flush(): Promise<void>;
}

/** With the store's clock as it was asked: a server's own may be an hour off, and proves nothing. */
export interface UnheardNow extends UnheardVerifier {
  readonly asOfMs: number;
}

/** Told how long a rotation took until now, ms from when it was asked for: for the metrics. */
export interface RotationTimes {
  firstUsed(ms: number): void;
  retired(how: 'finished' | 'forced' | 'settled', ms: number): void;
}
