/*
 * What the embedded engine is started with: a backend on its own, without a postmaster, that talks PostgreSQL's
 * protocol. It has no background processes, so nothing runs in parallel and nothing vacuums by itself.
 */

const common: readonly string[] = [
  '--single',
  '-j',
  ...[
    'search_path=public',
    'exit_on_error=false',
    'log_checkpoints=false',
    'max_worker_processes=0',
    'max_parallel_workers=0',
    'max_parallel_workers_per_gather=0',
    'max_parallel_maintenance_workers=0',
    'io_method=sync',
    'jit=off',
    'TimeZone=UTC',
    // A plan is kept from when its tables were nearly empty, until the next upkeep: it would read them from end to end and join
    // what it read, however large they have become. Every statement of ours has an index to go by, and looks up row by row.
    'enable_seqscan=off',
    'enable_hashjoin=off',
    'enable_mergejoin=off',
    // A quarter of what a process of this kind takes anyway; the file cache of the system does the rest.
    'shared_buffers=64MB',
    // What has to be replayed after a crash, at most.
    'max_wal_size=256MB',
  ].flatMap((setting) => ['-c', setting]),
];
/** For data on disk: a commit is answered once it is there (`durable-node-fs.ts` says why `fsync`). */
export const durableSettings: readonly string[] = [
  ...common,
  '-c',
  'fsync=on',
  '-c',
  'wal_sync_method=fsync',
];

/** For data in memory. */
export const volatileSettings: readonly string[] = [...common, '-F'];
