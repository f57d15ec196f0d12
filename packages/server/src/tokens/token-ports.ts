import type {
  KeyId,
  KeyspaceId,
  KeyspaceRecord,
  OwnerId,
  Secret,
  TokenClaims,
  TokenStatus,
  WorkspaceId,
} from '@keyswarm/core';

/** A key of the format `jwt`, about to be made. */
export interface KeyTokenWish {
  readonly workspaceId: WorkspaceId;
  readonly keyspace: KeyspaceRecord;
  readonly keyId: KeyId;
  readonly ownerId: OwnerId;
  readonly scopes: readonly string[];
  readonly notBeforeMs: number | null;
  /** Whole seconds. */
  readonly expiresAtMs: number;
  readonly version: number;
}

export interface KeyToken {
  readonly secret: Secret;
  readonly fingerprint: Uint8Array;
  readonly status: TokenStatus;
}

export interface DerivedTokenWish {
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId;
  readonly keyId: KeyId;
  readonly ownerId: OwnerId;
  /** 16 bytes: of the version that it hangs on. */
  readonly fingerprint: Uint8Array;
  readonly depth: number;
  /** Of that version, where it is a token and so has a place in a list. */
  readonly status?: TokenClaims['status'];
  readonly scopes: readonly string[];
  readonly expiresAtMs: number;
}

/** What signs tokens, as the use-cases see it. */
export interface TokenIssuer {
  readonly issuer: string;
  /** No later than the authority's clock, Unix ms: what a token is dated with. */
  nowMs(): number;
  keyToken(wish: KeyTokenWish): Promise<KeyToken>;
  derivedToken(wish: DerivedTokenWish): Promise<string>;
}
