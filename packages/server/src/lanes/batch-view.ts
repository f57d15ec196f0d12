import {
  assert,
  type DocumentId,
  type DocumentRecord,
  hexOf,
  type KeyId,
  type KeyRecord,
  type KeyspaceId,
  type KeyspaceRecord,
  type OwnerId,
  type OwnerRecord,
} from '@keyswarm/core';
import type { LaneView, WorkspaceRecord } from './lane-port.ts';
import { RecordTable } from './record-table.ts';

/** All that one attempt at a batch has read and decided. Made anew for every attempt. */
export class BatchView implements LaneView {
  readonly keys = new RecordTable<KeyId, KeyRecord>();
  readonly owners = new RecordTable<OwnerId, OwnerRecord>();
  readonly keyspaces = new RecordTable<KeyspaceId, KeyspaceRecord>();
  readonly documents = new RecordTable<DocumentId, DocumentRecord>();
  readonly workspaces: WorkspaceRecord[] = [];
  /** Owners that a change made: their insert must not find them there already. */
  readonly ownersMade = new Set<OwnerId>();
  readonly #fingerprintsWanted = new Set<string>();
  readonly #fingerprintsKnown = new Set<string>();

  expectFingerprints(wantedHex: Iterable<string>, knownHex: Iterable<string>): void {
    for (const hex of wantedHex) this.#fingerprintsWanted.add(hex);
    for (const hex of knownHex) this.#fingerprintsKnown.add(hex);
  }

  key(id: KeyId): KeyRecord | undefined {
    return this.keys.see(id);
  }

  owner(id: OwnerId): OwnerRecord | undefined {
    return this.owners.see(id);
  }

  keyspace(id: KeyspaceId): KeyspaceRecord | undefined {
    return this.keyspaces.see(id);
  }

  document(id: DocumentId): DocumentRecord | undefined {
    return this.documents.see(id);
  }

  hasFingerprint(fingerprint: Uint8Array): boolean {
    const hex = hexOf(fingerprint);
    assert(
      this.#fingerprintsWanted.has(hex),
      'a write asks only for fingerprints that it named in its reads',
    );
    return this.#fingerprintsKnown.has(hex);
  }

  /** The fingerprints of a key that this batch writes count as known to the writes that follow. */
  learnFingerprints(key: KeyRecord): void {
    if (this.#fingerprintsWanted.size === 0) return;
    for (const version of key.versions) this.#fingerprintsKnown.add(hexOf(version.fingerprint));
  }

  keep(): void {
    this.keys.keep();
    this.owners.keep();
    this.keyspaces.keep();
    this.documents.keep();
  }

  drop(): void {
    this.keys.drop();
    this.owners.drop();
    this.keyspaces.drop();
    this.documents.drop();
  }
}
