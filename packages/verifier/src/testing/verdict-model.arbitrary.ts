import type { Answer, FeedRow, KeyFact, KeyspaceFact, OwnerFact, VersionFact } from '@keyswarm/core';

/*
 * What a verifier knows, in the plainest way: the newest fact of each key, owner and keyspace, in Maps. A verdict
 * is found by walking through all keys and asking the questions one after another.
 */

export type PlainAnswer = Pick<Answer, 'valid' | 'code'> & {
  readonly keyId?: string;
  readonly version?: number;
  readonly expiresAtMs?: number | null;
};

export class VerdictModel {
  readonly keys = new Map<string, KeyFact>();
  readonly owners = new Map<string, OwnerFact>();
  readonly keyspaces = new Map<string, KeyspaceFact>();

  apply({ key, owner, keyspace }: Pick<FeedRow, 'key' | 'owner' | 'keyspace'>): void {
    if (key !== null) keepNewer(this.keys, key);
    if (owner !== null) keepNewer(this.owners, owner);
    if (keyspace !== null) keepNewer(this.keyspaces, keyspace);
  }

  get versions(): number {
    return [...this.keys.values()].reduce((sum, { versions }) => sum + versions.length, 0);
  }

  verify(fingerprint: Uint8Array, wanted: string | undefined, nowMs: number): PlainAnswer {
    const found = this.#holdersOf(fingerprint);
    const inWorkspace = found.filter(({ fact }) => {
      const keyspace = this.keyspaces.get(fact.keyspaceId);
      return keyspace !== undefined && (wanted === undefined || keyspace.workspaceId === wanted);
    });
    const unseen = found.filter(({ fact }) => !this.keyspaces.has(fact.keyspaceId));
    const [first] = inWorkspace;
    if (first !== undefined) return this.#judge(first.fact, first.version, nowMs);
    return unseen.length > 0 ? { valid: null, code: 'stale' } : { valid: false, code: 'unknown' };
  }

  /** The one that was minted first comes first. */
  #holdersOf(fingerprint: Uint8Array) {
    return [...this.keys.values()]
      .flatMap((fact) => fact.versions.map((version) => ({ fact, version })))
      .filter(({ version }) => equal(version.fingerprint, fingerprint))
      .sort((a, b) => a.version.mintedAtMs - b.version.mintedAtMs || (a.fact.id < b.fact.id ? -1 : 1));
  }

  #judge(fact: KeyFact, version: VersionFact, nowMs: number): PlainAnswer {
    const owner = this.owners.get(fact.ownerId);
    const keyspace = this.keyspaces.get(fact.keyspaceId);
    if (owner === undefined || keyspace === undefined) return { valid: null, code: 'stale' };
    const refused = (code: PlainAnswer['code']): PlainAnswer => ({ valid: false, code });
    const isCut = (limitMs: number | null) => limitMs !== null && version.mintedAtMs <= limitMs;
    if (fact.state === 'revoked' || isCut(owner.keysNotBeforeMs) || isCut(keyspace.keysNotBeforeMs)) {
      return refused('revoked');
    }
    const ends = [fact.expiresAtMs, version.retiresAtMs].filter((end) => end !== null);
    if (version.state === 'retired' || ends.some((end) => nowMs >= end)) return refused('expired');
    const states = [fact.state, owner.state, keyspace.state];
    if (states.includes('suspended')) return refused('suspended');
    if (fact.notBeforeMs !== null && nowMs < fact.notBeforeMs) return refused('not_yet_valid');
    const expiresAtMs = ends.length === 0 ? null : Math.min(...ends);
    return { valid: true, code: 'valid', keyId: fact.id, version: version.number, expiresAtMs };
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, at) => byte === b[at]);
}

function keepNewer<Fact extends { readonly id: string; readonly revision: number }>(
  facts: Map<string, Fact>,
  fact: Fact,
): void {
  if (fact.revision > (facts.get(fact.id)?.revision ?? 0)) facts.set(fact.id, fact);
}
