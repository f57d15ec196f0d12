import type { KeyId, KeyRecord, OwnerId, Secret } from '@keyswarm/core';
import type { SeededRandom } from '../kernel/seeded-random.ts';

/** A secret that somebody was handed. */
export interface KnownSecret {
  readonly key: KnownKey;
  readonly version: number;
  readonly text: string;
}

/** A key as its holders know it. */
export interface KnownKey {
  readonly id: KeyId;
  readonly ownerId: OwnerId;
  readonly keyspace: string;
  readonly secrets: KnownSecret[];
  /** Somebody has ended it, or asked for that. */
  isEnding: boolean;
  /** Nobody presents any but its newest secret. */
  isResting: boolean;
}

/** Keys that are kept in mind: past this the oldest that have ended are forgotten. */
const keysMax = 120;

/** What the world outside has been handed: nothing that was not acknowledged. */
export class KeyBook {
  readonly #keys = new Map<KeyId, KnownKey>();
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get size(): number {
    return this.#keys.size;
  }

  get keys(): Iterable<KnownKey> {
    return this.#keys.values();
  }

  /** A secret was handed out. */
  learn(record: KeyRecord, keyspace: string, secret: Secret | undefined): KnownKey {
    const key: KnownKey = this.#keys.get(record.id) ?? {
      id: record.id,
      ownerId: record.ownerId,
      keyspace,
      secrets: [],
      isEnding: false,
      isResting: false,
    };
    this.#keys.set(record.id, key);
    const version = record.versions.at(-1)?.number ?? 1;
    if (secret !== undefined && !key.secrets.some((each) => each.version === version)) {
      key.secrets.push({ key, version, text: secret.reveal() });
      if (key.secrets.length > 4) key.secrets.shift();
    }
    this.#forget();
    return key;
  }

  pick(isWanted: (key: KnownKey) => boolean = () => true): KnownKey | undefined {
    const wanted = [...this.#keys.values()].filter(isWanted);
    return wanted.length === 0 ? undefined : this.#random.pick(wanted);
  }

  pickSecret(): KnownSecret | undefined {
    const key = this.pick();
    // Holders go over to the new secret, most of them.
    const newest = key?.secrets.at(-1);
    if (key === undefined || newest === undefined) return undefined;
    return this.#random.chance(0.7) ? newest : this.#random.pick(secretsInUse(key));
  }

  #forget(): void {
    for (const [id, key] of this.#keys) {
      if (this.#keys.size <= keysMax) return;
      if (key.isEnding || this.#keys.size > 2 * keysMax) this.#keys.delete(id);
    }
  }
}

/** Those that somebody presents at present. */
export function secretsInUse({ isResting, secrets }: KnownKey): readonly KnownSecret[] {
  return isResting ? secrets.slice(-1) : secrets;
}
