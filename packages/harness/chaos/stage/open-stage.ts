import { fileURLToPath } from 'node:url';
import { apiOf } from '../../acceptance/api.ts';
import { Cluster, type Member } from '../../cluster/index.ts';
import { createKeyspace } from '../run/populate.ts';
import {
  boundMsOf,
  keyspaces,
  type Stage,
  type StageNode,
  type StageServer,
  type StageWishes,
} from './stage.ts';

/*
 * Starts the part of a cluster that a scenario needs and nothing else: on a machine of two cores a process that nobody looks at is
 * taken from those that are looked at.
 */

const planter = fileURLToPath(new URL('../../planted/register.ts', import.meta.url));

export interface OpenOptions {
  readonly planted?: string | undefined;
  readonly signal?: AbortSignal;
}

export async function openStage(wishes: StageWishes, options: OpenOptions = {}): Promise<Stage> {
  const cluster: Cluster = new Cluster({
    isShort: true,
    servers: wishes.servers ?? 2,
    workers: wishes.workers ?? 1,
    verifiers: wishes.nodes ?? 3,
    hasRelay: wishes.relay === true,
    hasStandby: wishes.standby === true,
    hasNats: wishes.nats === true,
    hasBalancer: wishes.balancer === true,
    env: plantedEnv(options.planted),
    envOf: (name) => envOf(wishes, name, cluster.dir),
    databaseSettings: wishes.settings ?? {},
    signal: options.signal,
  });
  try {
    await cluster.start();
    const stage = stageOf(cluster);
    for (const { name, leaseSeconds } of Object.values(keyspaces))
      await createKeyspace(stage, name, leaseSeconds);
    return stage;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

function stageOf(cluster: Cluster): Stage {
  const { managementKey } = cluster;
  return {
    managementKey,
    servers: cluster.servers.map((member) => serverOf(cluster, member)),
    nodes: cluster.verifiers.map((member) => nodeOf(cluster, member)),
    database: cluster.database,
    nats: cluster.nats,
    cluster,
    boundsMs: new Map(
      Object.values(keyspaces).map(({ name, leaseSeconds }) => [name, boundMsOf(leaseSeconds)] as const),
    ),
    folder: cluster.dir,
    stop: () => cluster.stop(),
  };
}

function serverOf(cluster: Cluster, member: Member): StageServer {
  const [link] = cluster.linksOf(member.name, 'database');
  if (link === undefined) throw new Error(`${member.name} has no wire to the database`);
  const { name, url, port } = member;
  return { member, name, url, port, api: apiOf(member, cluster.managementKey), databaseLink: link.wire };
}

function nodeOf(cluster: Cluster, member: Member): StageNode {
  const links = cluster.linksOf(member.name).map(({ wire }) => wire);
  return {
    member,
    name: member.name,
    port: member.port,
    managementKey: cluster.managementKey,
    links,
    cut: (fault) => {
      for (const link of links) link.set(fault);
    },
    reset: () => {
      for (const link of links) link.reset();
    },
    heal: () => {
      for (const link of links) link.heal();
    },
  };
}

function envOf(wishes: StageWishes, name: string, folder: string): Readonly<Record<string, string>> {
  const [, kind, number] = /^(server|verifier)-(\d+)$/.exec(name) ?? [];
  const envFor = kind === 'server' ? wishes.serverEnv : wishes.nodeEnv;
  return number === undefined ? {} : (envFor?.(Number(number) - 1, folder) ?? {});
}

function plantedEnv(planted: string | undefined): Readonly<Record<string, string>> {
  return planted === undefined ? {} : { NODE_OPTIONS: `--import=${planter}`, PLANTED_BUG: planted };
}
