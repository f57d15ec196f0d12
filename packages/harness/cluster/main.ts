import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterCommand, clusterUsage, readClusterArgs } from './cluster-args.ts';
import { ClusterError } from './cluster-error.ts';
import { clusterTable } from './cluster-table.ts';
import { type Cluster, startCluster } from './index.ts';
import { populateKeys } from './populate-keys.ts';

/*
 * keyswarm cluster up [--short] [--dir DIR] [--ports FROM] [--keys N], npm run cluster -- up …
 *
 * Stays in the foreground until Ctrl-C or SIGTERM, and ends everything then; a second signal changes nothing, since the
 * end is under way. If this process is killed, a watchdog ends everything. Exit codes: 0 ended as it was told to; 2 what
 * was asked for makes no sense, or a program or a port is missing; 1 something else.
 */

const lookEveryMs = 500;

try {
  const command = readClusterArgs(process.argv.slice(2));
  if (command.kind === 'help') console.log(clusterUsage);
  else await untilTold(command);
} catch (error) {
  if (!(error instanceof ClusterError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function untilTold(command: Extract<ClusterCommand, { readonly kind: 'up' }>): Promise<void> {
  const told = new AbortController();
  const stop = (): void => told.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  // Whoever started this has its other end: gone, it has nobody to tell.
  if (command.endsWithParent) process.stdin.on('end', stop).resume();
  const say = (line: string): void => console.error(line);
  let cluster: Cluster | undefined;
  try {
    cluster = await startCluster({ ...command.options, signal: told.signal, say });
    if (command.keys > 0) await populateKeys(cluster, command.keys, { say, signal: told.signal });
    console.log(clusterTable(cluster, command.keys));
    await watch(cluster, told.signal);
  } catch (error) {
    if (!told.signal.aborted) throw error;
  } finally {
    if (cluster !== undefined) say('ending');
    await cluster?.stop();
    process.stdin.destroy();
  }
}

/** Says what happens by itself, until told to end. */
async function watch(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const running = new Set(cluster.members);
  let failovers = 0;
  while (!signal.aborted) {
    for (const member of running) {
      if (member.isRunning) continue;
      running.delete(member);
      console.log(`${member.name} has ended; its log is ${member.logPath}`);
    }
    for (const { from, to } of cluster.database.failovers.slice(failovers)) {
      console.log(`${from} was lost and is fenced; ${to} has taken over, and has no standby`);
      failovers += 1;
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}
