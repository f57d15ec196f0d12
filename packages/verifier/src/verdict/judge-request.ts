import type { KeyObject } from 'node:crypto';
import {
  type Algorithm,
  type Answer,
  algorithms,
  parseSigningKeyId,
  type RefusalCode,
  type RefusedVerdict,
  type WorkspaceId,
} from '@keyswarm/core';
import { noncesMax, noncesPerKeyMax } from '../limits.ts';
import { NonceMemory } from '../signatures/nonce-memory.ts';
import { bytesOfBase64url, publicKeyBytes, publicKeyOf } from '../signatures/public-key.ts';
import { openMacKey, sealedMacBytes } from '../signatures/request-mac.ts';
import { verifyBytes } from '../signatures/sign-bytes.ts';
import {
  bearsSignature,
  isUnreadable,
  problemOfTimes,
  readSignedRequest,
  type SignedRequest,
} from '../signatures/signed-request.ts';
import type { RequestKey } from '../table/request-keys.ts';
import type { ResidentTable } from '../table/resident-table.ts';
import type { Requirement, VerifierClock } from '../verifier-port.ts';
import { type KeyJudge, stale } from './judge-key.ts';

/*
 * One verification of a signed request: what it says of itself, its times, the key that it names, its nonce, the
 * signature, and then what is asked of every key: verdict and lease, in that order, with the same code. Only an accepted
 * request has its nonce remembered: a refused one did nothing, and a nonce that anybody could plant would lock its
 * holder out.
 *
 * A key is found by id and version, which are no secret; all it costs to ask for one is the reading of two fields. Which
 * algorithm counts stands in the key's record.
 *
 * What is `signature_invalid` comes with words about the request, never about the key.
 */

/**
 * The MAC keys of a workspace, under one of which the secret of a key is sealed: the present one, and that of before a
 * change of the master key. None: what such a key has signed can be neither accepted nor refused here (`stale`).
 */
export type MacKeysOf = (workspaceId: WorkspaceId) => readonly Uint8Array[];

export interface NonceLimits {
  readonly noncesMax?: number | undefined;
  readonly noncesPerKeyMax?: number | undefined;
}

const unknown = refusal('unknown');
const replayed = refusal('replayed');
const rateLimited = refusal('rate_limited');
const signatureRequired = refusal('signature_required');

export class RequestJudge {
  readonly #clock: VerifierClock;
  readonly #keys: KeyJudge;
  readonly #macKeysOf: MacKeysOf | undefined;
  readonly #nonces: NonceMemory;

  constructor(clock: VerifierClock, keys: KeyJudge, macKeysOf: MacKeysOf | undefined, limits: NonceLimits) {
    this.#clock = clock;
    this.#keys = keys;
    this.#macKeysOf = macKeysOf;
    this.#nonces = new NonceMemory({
      entriesMax: limits.noncesMax ?? noncesMax,
      perKeyMax: limits.noncesPerKeyMax ?? noncesPerKeyMax,
    });
  }

  get noncesRemembered(): number {
    return this.#nonces.size;
  }

  verify(table: ResidentTable, request: SignedRequest, requirement: Requirement): Answer {
    if (!bearsSignature(request)) return signatureRequired;
    const read = readSignedRequest(request);
    if (isUnreadable(read)) return invalid(read.detail);
    const latestMs = this.#clock.latestMs();
    const late = problemOfTimes(read, this.#clock.earliestMs(), latestMs);
    if (late !== undefined) return invalid(late);
    const hasRoom = this.#nonces.hasRoom(read.keyId, latestMs);
    if (this.#nonces.hasForgotten(read.expires)) return invalid('expires has passed');
    const signer = table.requestKeys.find(read.keyId);
    if (signer === undefined)
      return parseSigningKeyId(read.keyId) === undefined
        ? invalid('keyid is not the id of a key, a point and a version')
        : this.#keys.unknown();
    const { workspaceId } = table.keyspaceOf(signer.record);
    if (workspaceId === undefined) return stale;
    const wanted = requirement.workspaceId;
    if (wanted !== undefined && wanted !== workspaceId) return unknown;
    const algorithm = algorithms[signer.proof.algorithm];
    if (read.algorithmClaim !== undefined && read.algorithmClaim !== algorithm.httpSignature)
      return invalid('alg is not the algorithm of the key');
    if (this.#nonces.has(read.keyId, read.nonce)) return replayed;
    signer.key ??= this.#keyOf(signer, read.keyId, workspaceId);
    if (signer.key === undefined) return stale;
    if (!verifyBytes(algorithm, signer.key, Buffer.from(read.base, 'latin1'), read.signature))
      return invalid('the signature is not that of the key over what is covered');
    const answer = this.#keys.judgeRecord(table, signer.record, { requirement, isSigned: true });
    if (answer.valid !== true) return answer;
    if (!hasRoom) return rateLimited;
    this.#nonces.note(read.keyId, read.nonce, read.expires);
    return answer;
  }

  verifySigner(table: ResidentTable, signingKeyId: string, requirement: Requirement): Answer {
    const signer = table.requestKeys.find(signingKeyId);
    if (signer === undefined) return this.#keys.unknown();
    return this.#keys.judgeRecord(table, signer.record, { requirement, isSigned: true });
  }

  isSignedIn(table: ResidentTable, request: SignedRequest, keyspaceName: string): boolean {
    const read = readSignedRequest(request);
    const signer = isUnreadable(read) ? undefined : table.requestKeys.find(read.keyId);
    return signer !== undefined && table.keyspaceOf(signer.record).name === keyspaceName;
  }

  #keyOf({ proof }: RequestKey, signingKeyId: string, workspaceId: WorkspaceId): KeyObject | undefined {
    const algorithm = algorithms[proof.algorithm];
    const material = bytesOfBase64url(proof.material, materialBytes(algorithm));
    if (material === undefined) return undefined;
    if (algorithm.kind === 'signature') return publicKeyOf(algorithm, material);
    for (const workspaceKey of this.#macKeysOf?.(workspaceId) ?? []) {
      const opened = openMacKey(workspaceKey, material, signingKeyId);
      if (opened !== undefined) return opened;
    }
    return undefined;
  }
}

function materialBytes(algorithm: Algorithm): number {
  return algorithm.kind === 'mac' ? sealedMacBytes : publicKeyBytes(algorithm);
}

function refusal(code: RefusalCode): RefusedVerdict {
  return Object.freeze({ valid: false, code });
}

function invalid(detail: string): RefusedVerdict {
  return { valid: false, code: 'signature_invalid', detail };
}
