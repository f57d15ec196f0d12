import { Buffer } from 'node:buffer';
import {
  type Algorithm,
  algorithms,
  type SigningKeyFact,
  type SigningKeyId,
  tokenHeaderText,
  type WorkspaceId,
} from '@keyswarm/core';
import { publicKeyOf } from '../signatures/public-key.ts';
import { signatureCheck } from '../signatures/sign-bytes.ts';

/** A signing key as a verdict reads it. Mutable, and the same object for ever, as keyspaces are. */
export interface SigningKeyEntry {
  readonly id: SigningKeyId;
  readonly workspaceId: WorkspaceId;
  readonly algorithm: Algorithm;
  readonly issuer: string;
  /** Is this the key's signature of those bytes? Undefined: its bytes are no key that could verify anything. */
  readonly check: ((data: Uint8Array, signature: Uint8Array) => boolean) | undefined;
  fact: SigningKeyFact;
  /** Nothing that it signed is accepted any more. */
  removed: boolean;
  /** -Infinity: no token was ever cut off. */
  notBeforeMs: number;
}

/**
 * The keys that the authority signs tokens with: a few a workspace, so they are whole objects in maps.
 *
 * A token is known by its first part, which says algorithm, type and key in the one spelling that the authority gives
 * them. That text is looked up here as it is and never parsed, and the entry that is found says everything else: so an
 * algorithm that a message claims is never used, not even to be compared.
 *
 * What can be accepted is whatever the authority may have signed with: a published key too, for it may have become
 * active without our having heard of it yet.
 */
export class SigningKeys {
  readonly #entries = new Map<SigningKeyId, SigningKeyEntry>();
  readonly #byHeader = new Map<string, SigningKeyEntry>();

  get size(): number {
    return this.#entries.size;
  }

  /** As everywhere, the higher revision wins. A key's bytes, algorithm and issuer never change. */
  apply(fact: SigningKeyFact): void {
    const known = this.#entries.get(fact.id);
    const entry = known ?? this.#add(fact);
    if (known !== undefined && fact.revision <= known.fact.revision) return;
    entry.fact = fact;
    entry.removed = fact.state === 'removed';
    entry.notBeforeMs = fact.notBeforeMs ?? Number.NEGATIVE_INFINITY;
  }

  find(id: SigningKeyId): SigningKeyEntry | undefined {
    return this.#entries.get(id);
  }

  findByHeader(header: string): SigningKeyEntry | undefined {
    return this.#byHeader.get(header);
  }

  /** Those that are still of use, for whoever loads a table from this one: one that was removed is as good as unknown. */
  *facts(): Generator<SigningKeyFact, void, undefined> {
    for (const { fact } of this.#entries.values()) if (fact.state !== 'removed') yield fact;
  }

  #add(fact: SigningKeyFact): SigningKeyEntry {
    const algorithm = algorithms[fact.algorithm];
    const publicKey = publicKeyOf(algorithm, fact.publicKey);
    const entry: SigningKeyEntry = {
      id: fact.id,
      workspaceId: fact.workspaceId,
      algorithm,
      issuer: fact.issuer,
      check: publicKey && signatureCheck(algorithm, publicKey),
      fact,
      removed: fact.state === 'removed',
      notBeforeMs: fact.notBeforeMs ?? Number.NEGATIVE_INFINITY,
    };
    this.#entries.set(fact.id, entry);
    this.#byHeader.set(Buffer.from(tokenHeaderText(algorithm.jose, fact.id)).toString('base64url'), entry);
    return entry;
  }
}
