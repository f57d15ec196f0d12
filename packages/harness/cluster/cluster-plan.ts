/*
 * Who is in a cluster and who speaks to whom, as data. Whatever speaks over a wire that can be broken has a link here.
 */

export interface ClusterShape {
  readonly servers: number;
  readonly workers: number;
  readonly verifiers: number;
  /** A verify-only node with `--serve-feed`: the last half of the verifiers hang on it. */
  readonly hasRelay: boolean;
  readonly hasStandby: boolean;
  readonly hasNats: boolean;
  readonly hasBalancer: boolean;
  /** A relay that can misbehave (faults/feed-proxy.ts) at the far end of each wire that carries the feed. */
  readonly hasFeedProxies: boolean;
}

export const wholeShape: ClusterShape = {
  servers: 2,
  workers: 2,
  verifiers: 4,
  hasRelay: true,
  hasStandby: true,
  hasNats: true,
  hasBalancer: true,
  hasFeedProxies: false,
};

/** What starts in a few seconds: one process each, and nothing from the system's packages. */
export const shortShape: ClusterShape = {
  servers: 1,
  workers: 1,
  verifiers: 2,
  hasRelay: false,
  hasStandby: false,
  hasNats: false,
  hasBalancer: false,
  hasFeedProxies: false,
};

export interface LinkPlan {
  readonly from: string;
  readonly to: string;
}

export interface ClusterPlan {
  readonly servers: readonly string[];
  readonly relay: string | undefined;
  readonly verifiers: readonly string[];
  /** Verifiers that hang on the relay. */
  readonly regional: ReadonlySet<string>;
  /** To `database`, or to whoever serves the feed. */
  readonly links: readonly LinkPlan[];
  /** What listens by itself, in the order in which ports are given out. */
  readonly listeners: readonly string[];
}

export function planCluster(shape: ClusterShape): ClusterPlan {
  const named = (what: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, at) => `${what}-${at + 1}`);
  const servers = named('server', shape.servers);
  const verifiers = named('verifier', shape.verifiers);
  const relay = shape.hasRelay ? 'relay' : undefined;
  const regional = new Set(relay === undefined ? [] : verifiers.slice(Math.ceil(verifiers.length / 2)));
  const toServers = (from: string): readonly LinkPlan[] => servers.map((to) => ({ from, to }));
  const links = [
    ...servers.map((from) => ({ from, to: 'database' })),
    ...(relay === undefined ? [] : toServers(relay)),
    ...verifiers.flatMap((from) =>
      relay !== undefined && regional.has(from) ? [{ from, to: relay }] : toServers(from),
    ),
  ];
  const doors = shape.hasBalancer ? ['balancer servers', 'balancer verifiers', 'balancer state'] : [];
  const listeners = [
    ...doors,
    ...servers,
    ...(relay === undefined ? [] : [relay]),
    ...verifiers,
    'postgres-1',
    'postgres-2',
    ...links.map(linkName),
  ];
  return { servers, relay, verifiers, regional, links, listeners };
}

export function linkName({ from, to }: LinkPlan): string {
  return `${from} > ${to}`;
}
