import type { Api } from '../../acceptance/api.ts';
import type { Cluster, DatabasePair, Member } from '../../cluster/index.ts';
import type { TcpFault, TcpProxy } from '../../faults/index.ts';
import type { NatsCluster } from '../../nats/index.ts';

/* What a scenario plays on: a cluster of real processes, with every wire of it in reach. */

export interface StageNode {
  readonly member: Member;
  readonly name: string;
  readonly port: number;
  readonly managementKey: string;
  /** Between it and each relay that it follows. */
  readonly links: readonly TcpProxy[];
  /** The same fault on all of them. */
  cut(fault: TcpFault): void;
  /** Connections that stand are reset as well. */
  reset(): void;
  heal(): void;
}

export interface StageServer {
  readonly member: Member;
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly api: Api;
  /** Between it and the database. */
  readonly databaseLink: TcpProxy;
}

export interface Stage {
  readonly managementKey: string;
  readonly servers: readonly StageServer[];
  readonly nodes: readonly StageNode[];
  readonly database: DatabasePair;
  readonly nats: NatsCluster | undefined;
  readonly cluster: Cluster;
  /** T of each keyspace, ms. */
  readonly boundsMs: ReadonlyMap<string, number>;
  /** Of this run alone; it is gone afterwards. */
  readonly folder: string;
  stop(): Promise<void>;
}

export interface StageWishes {
  readonly nodes?: number;
  readonly servers?: number;
  /** Of each server. */
  readonly workers?: number;
  /** A node that serves the feed to the second half of the others. */
  readonly relay?: boolean;
  /** A synchronous standby that takes over by itself. */
  readonly standby?: boolean;
  readonly nats?: boolean;
  /** HAProxy before servers and nodes. */
  readonly balancer?: boolean;
  /** For one server, by its number from 0. */
  readonly serverEnv?: (server: number, folder: string) => Readonly<Record<string, string>>;
  /** For one node, by its number from 0. */
  readonly nodeEnv?: (node: number, folder: string) => Readonly<Record<string, string>>;
  /** Of the database. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** ρ of the promise: T = L(1 + ρ). */
const driftRatio = 0.01;

export const keyspaces = {
  /** The lease that everybody has who sets none. */
  usual: { name: 'usual', leaseSeconds: 30 },
  strict: { name: 'strict', leaseSeconds: 2 },
} as const;

export function boundMsOf(leaseSeconds: number): number {
  return Math.ceil(leaseSeconds * 1000 * (1 + driftRatio));
}
