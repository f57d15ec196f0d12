import type { WorkspaceId } from '@keyswarm/core';
import type { ResidentVerifier } from '@keyswarm/verifier';
import type { KeyspaceDirectory, KeyspaceEntry } from '../keyspaces/keyspace-directory.ts';
import type { Lanes } from '../lanes/lane-port.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { SigningPorts } from '../signing-keys/signing-key-ports.ts';
import type { Reader } from '../storage/reader-port.ts';
import type { RotationsReader } from '../storage/rotations-port.ts';
import type { StoreClock } from '../storage/store-clock-port.ts';
import type { TokenIssuer } from '../tokens/token-ports.ts';
import type { Jobs } from '../workflows/jobs-port.ts';
import type { AwaitEffective } from './await-effective.ts';
import type { LeaseReads } from './lease-reads.ts';
import type { RotationEvidence, RotationTimes } from './rotation-evidence.ts';

/** All that a use-case may reach. Ports only: which engine, transport or process stands behind them is not its business. */
export interface UseCasePorts {
  readonly lanes: Lanes;
  readonly reader: Reader;
  readonly verifier: ResidentVerifier;
  /** Of this process. */
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly random: Random;
  readonly keyspaces: KeyspaceDirectory;
  readonly leases: Pick<LeaseReads, 'ofKeyspace' | 'ofWorkspace'>;
  /**
   * Resolves once everything that was acknowledged before the call is resident here. Absent where this process is
   * the only one that writes, which knows its own writes before it answers them.
   */
  readonly catchUp?: (() => Promise<void>) | undefined;
  /** Waits until every verifier knows a change. Absent where nobody but this process verifies. */
  readonly awaitEffective?: AwaitEffective | undefined;
  readonly evidence: RotationEvidence;
  readonly rotationTimes: RotationTimes;
  /** What periodic work on rotations looks for. */
  readonly rotations: RotationsReader;
  /** Work that nobody waits for. */
  readonly jobs: Jobs;
  /** Under which the secrets are sealed with which keys of a workspace sign that have no public key. */
  readonly macKeyOf: (workspaceId: WorkspaceId) => Uint8Array;
  /** Signs tokens. Absent where nothing does: in tests of single rooms. */
  readonly tokens?: TokenIssuer | undefined;
  /** The keys that it signs them with. */
  readonly signing?: SigningPorts | undefined;
  /** Shards of the store; a power of two. */
  readonly shards: number;
}

/** What a verification reaches: all of it is in memory, so a process without a store can give it. */
export interface VerifyPorts extends Pick<UseCasePorts, 'verifier' | 'catchUp' | 'shards'> {
  readonly keyspaces: {
    find(workspaceId: WorkspaceId, idOrName: string): Promise<Pick<KeyspaceEntry, 'name'> | undefined>;
  };
}
