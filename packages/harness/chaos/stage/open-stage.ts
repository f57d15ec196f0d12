import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mintKeyString } from '@keyswarm/core';
import { apiOf } from '../../acceptance/api.ts';
import { startTcpProxy, type TcpProxy } from '../../faults/index.ts';
import { type NatsCluster, startNatsCluster } from '../../nats/index.ts';
import { createKeyspace } from '../run/populate.ts';
import { Member } from './member.ts';
import { type OpenedDatabase, openDatabase } from './open-database.ts';
import {
  boundMsOf,
  keyspaces,
  type Stage,
  type StageNode,
  type StageServer,
  type StageWishes,
} from './stage.ts';

/*
 * Starts what a scenario needs and nothing else: on a machine of two cores a process that nobody looks at is taken from those that
 * are looked at. Every server reaches the database, and every node each of its relays, by a wire of its own.
 */

const planter = fileURLToPath(new URL('../../planted/register.ts', import.meta.url));

export async function openStage(wishes: StageWishes, planted?: string): Promise<Stage> {
  const cleanups: (() => Promise<unknown> | unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const opened = await open({ wishes, planted, later: (cleanup) => cleanups.push(cleanup) });
    return { ...opened, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Opening {
  readonly wishes: StageWishes;
  readonly planted: string | undefined;
  readonly later: (cleanup: () => Promise<unknown> | unknown) => void;
}

interface House extends Opening {
  readonly folder: string;
  readonly managementKey: string;
  readonly database: OpenedDatabase;
  readonly nats: NatsCluster | undefined;
  readonly env: Readonly<Record<string, string>>;
}

async function open(opening: Opening): Promise<Omit<Stage, 'stop'>> {
  const { wishes, planted, later } = opening;
  const folder = await mkdtemp(join(tmpdir(), 'keyswarm-chaos-'));
  later(() => rm(folder, { recursive: true, force: true }));
  const database = await openDatabase(wishes);
  later(() => database.stop());
  const nats = wishes.nats === true ? await startNatsCluster() : undefined;
  if (nats !== undefined) later(() => nats.stop());
  const natsEnv =
    nats === undefined ? {} : { KEYSWARM_NATS_SERVERS: nats.urls.join(','), KEYSWARM_NATS_REPLICAS: '3' };
  const env = { ...natsEnv, ...plantedEnv(planted) };
  const managementKey = mintKeyString('keyswarm', randomBytes);
  const house: House = { ...opening, folder, managementKey, database, nats, env };
  const servers = await startServers(house);
  for (const { name, leaseSeconds } of Object.values(keyspaces))
    await createKeyspace({ servers }, name, leaseSeconds);
  const nodes = await startNodes(house, servers);
  const boundsMs = new Map(
    Object.values(keyspaces).map(({ name, leaseSeconds }) => [name, boundMsOf(leaseSeconds)] as const),
  );
  return { managementKey, servers, nodes, database, nats, boundsMs, folder };
}

async function startServers(house: House): Promise<readonly StageServer[]> {
  const { folder, managementKey, database, wishes, later } = house;
  const masterKey = randomBytes(32).toString('base64');
  const servers: StageServer[] = [];
  for (let at = 1; at <= (wishes.servers ?? 2); at += 1) {
    const name = `server-${at}`;
    const { link, url } = await database.connect();
    const member = await Member.create({
      name,
      command: 'start',
      logPath: join(folder, `${name}.log`),
      env: {
        KEYSWARM_HOST: '127.0.0.1',
        KEYSWARM_DATA_DIR: join(folder, name),
        KEYSWARM_BOOTSTRAP_KEY: managementKey,
        KEYSWARM_DATABASE_URL: url,
        KEYSWARM_MASTER_KEY: masterKey,
        ...house.env,
        ...wishes.serverEnv,
      },
    });
    later(() => member.stop());
    servers.push({ member, name, url: member.url, api: apiOf(member, managementKey), databaseLink: link });
    // The first one makes the tables; together they would only wait for one another.
    if (at === 1) await member.start();
    else member.spawn();
  }
  await Promise.all(servers.slice(1).map(({ member }) => member.ready()));
  return servers;
}

async function startNodes(house: House, servers: readonly StageServer[]): Promise<readonly StageNode[]> {
  const { folder, managementKey, wishes, later } = house;
  const nodes: StageNode[] = [];
  for (let at = 0; at < (wishes.nodes ?? 3); at += 1) {
    const name = `node-${at + 1}`;
    // Each begins with another server, so that both are relays.
    const relays = servers.map((_, turn) => servers[(at + turn) % servers.length]);
    const links: TcpProxy[] = [];
    for (const relay of relays) {
      const link = await startTcpProxy({ port: relay?.member.port ?? 0 });
      later(() => link.close());
      links.push(link);
    }
    const member = await Member.create({
      name,
      command: 'verifier',
      logPath: join(folder, `${name}.log`),
      env: {
        KEYSWARM_RELAYS: links.map(({ url }) => url).join(','),
        KEYSWARM_VERIFIER_KEY: managementKey,
        KEYSWARM_NAME: name,
        ...house.env,
        ...wishes.nodeEnv?.(at, folder),
      },
    });
    later(() => member.stop());
    member.spawn();
    nodes.push(nodeOf(member, links, managementKey));
  }
  await Promise.all(nodes.map(({ member }) => member.ready()));
  return nodes;
}

function nodeOf(member: Member, links: readonly TcpProxy[], managementKey: string): StageNode {
  return {
    member,
    name: member.name,
    port: member.port,
    managementKey,
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

function plantedEnv(planted: string | undefined): Readonly<Record<string, string>> {
  if (planted === undefined) return {};
  const options = [process.env.NODE_OPTIONS, `--import=${planter}`].filter(Boolean).join(' ');
  return { NODE_OPTIONS: options, KEYSWARM_PLANTED_BUG: planted };
}
