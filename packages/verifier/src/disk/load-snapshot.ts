import { createReadStream } from 'node:fs';
import type { Heads, TablePlace } from '../feed/feed-source.ts';
import { BadFeedRow } from '../follow/bad-feed-row.ts';
import { snapshotChunkBytes } from '../limits.ts';
import type { ResidentVerifier, SnapshotLoad } from '../verifier-port.ts';
import { BadFrame, UnknownVersion } from '../wire/bad-frame.ts';
import { FrameReader } from '../wire/frames.ts';
import { SnapshotReader } from '../wire/snapshot-reader.ts';

/**
 * `ready`: the verifier knows more than any file already. `missing`: there is none. `unreadable`: the system gives it
 * to nobody. `too_new`: a later version wrote it. `foreign`: it holds the facts of somebody else. `corrupt`: it is not
 * a whole snapshot.
 */
export type WhyNotLoaded = 'ready' | 'missing' | 'unreadable' | 'too_new' | 'foreign' | 'corrupt';

export type LoadedSnapshot =
  | { readonly loaded: true; readonly heads: Heads }
  | { readonly loaded: false; readonly why: WhyNotLoaded; readonly detail: string };

/**
 * Loads what `saveSnapshot` wrote for the same `identity` into a verifier that isn't ready yet, at the position where
 * it was written and without a lease: everything is stale until the feed has been followed from there to heads read
 * since. A file that can't be used is told as a value, and the verifier is as it was. Rejects only with the
 * signal's reason.
 */
export async function loadSnapshot(
  path: string,
  { verifier, identity }: { readonly verifier: ResidentVerifier; readonly identity: string },
  signal: AbortSignal = neverAborted,
): Promise<LoadedSnapshot> {
  if (verifier.ready) return { loaded: false, why: 'ready', detail: 'the verifier has facts already' };
  try {
    const load = verifier.startSnapshot();
    const { view, ...heads } = await readInto(path, { load, identity }, signal);
    // The feed may have been quicker.
    if (verifier.ready) return { loaded: false, why: 'ready', detail: 'the verifier has facts already' };
    // What may be read now is for the first answer to say; if it is something else, another table is loaded.
    load.finish({ ...heads, view });
    return { loaded: true, heads };
  } catch (error) {
    signal.throwIfAborted();
    return { loaded: false, why: whyOf(error), detail: detailOf(error) };
  }
}

async function readInto(
  path: string,
  { load, identity }: { readonly load: SnapshotLoad; readonly identity: string },
  signal: AbortSignal,
): Promise<TablePlace> {
  const frames = new FrameReader();
  const sink = {
    key: load.applyKey.bind(load),
    owner: load.applyOwner.bind(load),
    keyspace: load.applyKeyspace.bind(load),
    signingKey: load.applySigningKey.bind(load),
    stretch: load.applyStretch.bind(load),
  };
  const reader = new SnapshotReader(sink, (hello) => {
    if (hello.identity !== identity) throw new ForeignSnapshot('it holds the facts of somebody else');
  });
  for await (const chunk of createReadStream(path, { highWaterMark: snapshotChunkBytes, signal })) {
    for (const frame of frames.push(chunk as Buffer)) reader.take(frame);
  }
  frames.end();
  const { epoch, seqs, view } = reader.end();
  return { epoch, seqs, view };
}

class ForeignSnapshot extends Error {
  override readonly name = 'ForeignSnapshot';
}

function whyOf(error: unknown): WhyNotLoaded {
  if (error instanceof ForeignSnapshot) return 'foreign';
  if (error instanceof UnknownVersion) return 'too_new';
  if (error instanceof BadFrame || error instanceof BadFeedRow) return 'corrupt';
  return codeOf(error) === 'ENOENT' ? 'missing' : 'unreadable';
}

/** Of the system only its code: its messages hold the path. */
function detailOf(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? error.message : 'unknown');
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const neverAborted = new AbortController().signal;
