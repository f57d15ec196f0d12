import type { Operation } from '../history/operation.ts';
import type { BookKey } from '../load/key-book.ts';
import type { Run } from '../run/scenario.ts';
import type { StageNode, StageServer } from '../stage/stage.ts';

/* What several scenarios do. */

export function nodeAt({ stage }: Run, at: number): StageNode {
  const node = stage.nodes[at];
  if (node === undefined) throw new Error(`there is no node ${at + 1}`);
  return node;
}

export function serverAt({ stage }: Run, at: number): StageServer {
  const server = stage.servers[at];
  if (server === undefined) throw new Error(`there is no server ${at + 1}`);
  return server;
}

export function pickNode({ stage, random }: Run): number {
  return Math.floor(random() * stage.nodes.length);
}

/** The names of everybody, for a fault that strikes all. */
export function everybody({ stage }: Run): readonly string[] {
  return [...stage.nodes, ...stage.servers].map(({ name }) => name);
}

/** A fresh strict key that every node has accepted. */
export async function acceptedKey(run: Run, keyspace: 'strict' | 'usual' = 'strict'): Promise<BookKey> {
  for (let tries = 0; tries < 5; tries += 1) {
    const key = await run.clerk.issue({ keyspace, ttlSeconds: 3_600 });
    if (key === undefined) continue;
    // Its own scenario changes it, and nobody else.
    key.isBusy = true;
    await Promise.all(run.workload.presenters.map((presenter) => presenter.present(key, 1)));
    return key;
  }
  throw new Error('no key could be issued');
}

/** Presents it to a node until it says something else than `valid`, and gives what it said. */
export async function untilRefused(
  run: Run,
  key: BookKey,
  nodeName: string,
  withinMs: number,
): Promise<string> {
  const presenter = run.workload.presenters.find(({ name }) => name === nodeName);
  const untilMs = performance.now() + withinMs;
  while (performance.now() < untilMs) {
    const said = await presenter?.present(key, key.secrets.length);
    if (said !== undefined && said.outcome !== 'unknown' && said.code !== 'valid') return said.code;
    await run.seconds(0.01);
  }
  return 'valid';
}

export const isStaleAt =
  (name: string) =>
  ({ kind, at, code }: Operation): boolean =>
    kind === 'verify' && at === name && code === 'stale';

/**
 * Verifications of keys that nobody ever changes, under the usual lease, which were not answered since then. Of keys that were changed
 * or made a moment ago a refusal has to be proved, and 503 is what a verifier says that can't.
 */
export function steadyFailures(run: Run, since: number): readonly Operation[] {
  return run.history
    .operations()
    .slice(since)
    .filter(
      ({ kind, keyspace, outcome, key, minSeq }) =>
        kind === 'verify' &&
        keyspace === 'usual' &&
        outcome === 'fail' &&
        minSeq === undefined &&
        run.book.isSteady(key),
    );
}

export function isWrite({ kind }: Operation): boolean {
  return kind !== 'verify' && kind !== 'read';
}
