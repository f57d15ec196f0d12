import { fsyncSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';

interface NodeStream {
  readonly nfd: number;
}

interface NodeFsModule {
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: NodeStream) => number } };
}

/**
 * PGlite's files on disk, with an fsync that reaches the disk. The WASM runtime's own file system has no such
 * operation: PostgreSQL's fsync succeeds there and does nothing, so a commit survives the death of the process
 * but not of the power supply. One operation closes the gap. It works for `wal_sync_method = fsync` only:
 * fdatasync is a system call of its own in that runtime, and that one is empty.
 */
export class DurableNodeFs extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const [pg, options] = args;
    return super.init(pg, {
      ...options,
      preRun: [
        ...(options.preRun ?? []),
        (module: unknown) => {
          (module as NodeFsModule).NODEFS.stream_ops.fsync = ({ nfd }) => {
            fsyncSync(nfd);
            return 0;
          };
        },
      ],
    });
  }
}
