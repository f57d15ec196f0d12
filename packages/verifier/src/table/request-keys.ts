import type { KeyObject } from 'node:crypto';
import type { VersionProof } from '@keyswarm/core';

/** A version that can sign requests. */
export interface RequestKey {
  readonly record: number;
  readonly proof: VersionProof;
  /** Made at its first use: a fleet that never signs here costs no more than the text of its public keys. */
  key: KeyObject | undefined;
}

/** The versions that can sign, by the `keyid` of their signatures. There is no entry for any other. */
export class RequestKeys {
  readonly #byKeyId = new Map<string, RequestKey>();
  readonly #keyIdOf = new Map<number, string>();

  get size(): number {
    return this.#byKeyId.size;
  }

  find(signingKeyId: string): RequestKey | undefined {
    return this.#byKeyId.get(signingKeyId);
  }

  set(record: number, signingKeyId: string, proof: VersionProof): void {
    const known = this.#byKeyId.get(signingKeyId);
    const isSame = known?.proof.algorithm === proof.algorithm && known.proof.material === proof.material;
    this.forget(record);
    this.#byKeyId.set(signingKeyId, { record, proof, key: isSame ? known.key : undefined });
    this.#keyIdOf.set(record, signingKeyId);
  }

  forget(record: number): void {
    if (this.#keyIdOf.size === 0) return;
    const signingKeyId = this.#keyIdOf.get(record);
    if (signingKeyId === undefined) return;
    this.#keyIdOf.delete(record);
    // Of two circles of one key the older goes last; it takes nothing of the newer one along.
    if (this.#byKeyId.get(signingKeyId)?.record === record) this.#byKeyId.delete(signingKeyId);
  }
}
