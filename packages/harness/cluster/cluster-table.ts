import type { Cluster } from './cluster.ts';

/** What listens where, for a person at a terminal. No secret is in it, only the files that hold them. */
export function clusterTable(cluster: Cluster, keys: number): string {
  const { balancer, nats, database } = cluster;
  const rows: (readonly [string, string, string])[] = [];
  if (balancer !== undefined) {
    rows.push(
      ['balancer', balancer.serversUrl, 'the API: sends requests to servers whose /readyz is 200'],
      ['', balancer.verifiersUrl, 'verification: the same for verifiers'],
    );
  }
  for (const { name, url } of cluster.servers)
    rows.push([name, url, cluster.shape.workers > 1 ? `${cluster.shape.workers} workers` : '']);
  if (cluster.relay !== undefined)
    rows.push([cluster.relay.name, cluster.relay.url, 'serves the feed to its region']);
  for (const { name, url } of cluster.verifiers)
    rows.push([
      name,
      url,
      `follows ${cluster
        .linksOf(name)
        .map(({ to }) => to)
        .join(' and ')}`,
    ]);
  for (const node of database.nodes) {
    if (node.pid === undefined) continue;
    const role = node === database.primary ? 'primary' : 'standby; commits wait for its disk';
    rows.push([node.name, `127.0.0.1:${node.port}`, role]);
  }
  for (const node of nats?.nodes ?? []) rows.push([`nats ${node.name}`, node.url, '']);
  if (nats?.leaf !== undefined) rows.push(['nats leaf', nats.leaf.url, "the region's broker"]);
  for (const { name, wire } of cluster.links) rows.push(['wire', `127.0.0.1:${wire.port}`, name]);
  const widths = [0, 1].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [
    ...lines,
    '',
    `management key  ${cluster.managementKeyPath}`,
    ...(keys > 0 ? [`keys            ${cluster.dir}/keys.ndjson`] : []),
    `logs            ${cluster.logDir}`,
    '',
    `export KEYSWARM_URL=${cluster.apiUrl} KEYSWARM_KEY=$(cat ${cluster.managementKeyPath})`,
    'Ctrl-C ends all of it.',
  ].join('\n');
}
