import { hash } from 'node:crypto';
import {
  Fault,
  Secret,
  type SigningAlgorithm,
  type TokenClaims,
  tokenClaimsText,
  tokenLengthMax,
  type WorkspaceId,
} from '@keyswarm/core';
import type { Random } from '../runtime/random.ts';
import type { SigningRing } from '../signing-keys/signing-ring.ts';
import type { Reader } from '../storage/reader-port.ts';
import type { StatusPlaces } from './status-places.ts';
import type { DerivedTokenWish, KeyToken, KeyTokenWish, TokenIssuer } from './token-ports.ts';

export interface IssuerParts {
  readonly ring: SigningRing;
  readonly places: StatusPlaces;
  readonly reader: Pick<Reader, 'keyspace'>;
  readonly random: Random;
  /** Of the authority, at the earliest. */
  readonly nowMs: () => number;
}

const jtiBytes = 16;

/** Writes what a token says and has it signed. */
export function createTokenIssuer({ ring, places, reader, random, nowMs }: IssuerParts): TokenIssuer {
  const nameOf = () => Buffer.from(random.bytes(jtiBytes)).toString('base64url');
  return {
    get issuer() {
      return ring.issuer;
    },

    nowMs,

    async keyToken(wish: KeyTokenWish): Promise<KeyToken> {
      const { workspaceId, keyspace, version, expiresAtMs, notBeforeMs } = wish;
      const place = await places.take(keyspace.id, workspaceId);
      const issuedAt = seconds(nowMs());
      const claims: TokenClaims = {
        iss: ring.issuer,
        sub: wish.ownerId,
        aud: keyspace.id,
        client_id: wish.keyId,
        ...scopeOf(wish.scopes),
        exp: seconds(expiresAtMs),
        nbf: notBeforeMs === null ? issuedAt : Math.ceil(notBeforeMs / 1000),
        iat: issuedAt,
        jti: nameOf(),
        status: {
          status_list: { idx: place.index, uri: statusListUrl(ring.issuer, `${keyspace.id}.${place.list}`) },
        },
      };
      const { algorithm } = keyspace.token;
      const text = await signed(ring, { workspaceId, algorithm, claims, expiresAtMs });
      return {
        secret: new Secret(text),
        fingerprint: hash('sha256', text, 'buffer'),
        status: { version, ...place, expiresAtMs },
      };
    },

    async derivedToken(wish: DerivedTokenWish): Promise<string> {
      const { workspaceId, keyspaceId, expiresAtMs } = wish;
      const keyspace = await reader.keyspace(workspaceId, keyspaceId);
      const issuedAt = seconds(nowMs());
      const claims: TokenClaims = {
        iss: ring.issuer,
        sub: wish.ownerId,
        aud: keyspaceId,
        client_id: wish.keyId,
        ...scopeOf(wish.scopes),
        exp: seconds(expiresAtMs),
        nbf: issuedAt,
        iat: issuedAt,
        jti: nameOf(),
        ...(wish.status === undefined ? {} : { status: wish.status }),
        keyswarm: { parent: Buffer.from(wish.fingerprint).toString('base64url'), depth: wish.depth },
      };
      const algorithm = keyspace?.token.algorithm ?? 'ed25519';
      return await signed(ring, { workspaceId, algorithm, claims, expiresAtMs });
    },
  };
}

export function statusListUrl(issuer: string, id: string): string {
  return `${issuer}/status-lists/${id}`;
}

async function signed(
  ring: SigningRing,
  wish: {
    readonly workspaceId: WorkspaceId;
    readonly algorithm: SigningAlgorithm;
    readonly claims: TokenClaims;
    readonly expiresAtMs: number;
  },
): Promise<string> {
  const { claims, ...rest } = wish;
  const text = await ring.sign({ ...rest, claims: tokenClaimsText(claims) });
  if (text.length <= tokenLengthMax) return text;
  throw new Fault('invalid_field', {
    detail: `The token would be longer than ${tokenLengthMax} characters.`,
    field: '/scopes',
    expected: 'fewer or shorter scopes',
  });
}

function scopeOf(scopes: readonly string[]): { readonly scope?: string } {
  return scopes.length === 0 ? {} : { scope: scopes.join(' ') };
}

function seconds(timeMs: number): number {
  return Math.floor(timeMs / 1000);
}
