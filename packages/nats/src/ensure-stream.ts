import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import { feedMessageBytesMax } from './limits.ts';
import type { Subjects } from './subjects.ts';

export interface StreamLimits {
  /** Copies of each message; 3 outlive the loss of one server. */
  readonly replicas: number;
  /** How long a message is kept: as long as a source may be away and still catch up from the broker. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  /** Within which the same message is taken once. */
  readonly duplicateWindowMs: number;
}

export const defaultStreamLimits: Omit<StreamLimits, 'replicas'> = {
  maxAgeMs: 3_600_000,
  maxBytes: 256 * 1024 * 1024,
  duplicateWindowMs: 120_000,
};

/** The stream on the broker is not as it was asked for, or a stream of this name is somebody else's. */
export class StreamDiffers extends Error {
  override readonly name = 'StreamDiffers';
  /** As NATS names it. */
  readonly field: string;

  constructor(stream: string, field: string, values: { readonly expected: unknown; readonly got: unknown }) {
    const { expected, got } = values;
    super(
      `stream ${stream} of the broker differs in ${field}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
    );
    this.field = field;
  }
}

const nsPerMs = 1_000_000;

/** What a stream of the feed has to be. Every field of it is read back: a server drops what it doesn't know. */
export function streamConfig(subjects: Subjects, limits: StreamLimits): Partial<StreamConfig> {
  return {
    subjects: [subjects.feedAll],
    retention: 'limits',
    storage: 'file',
    discard: 'old',
    num_replicas: limits.replicas,
    max_age: limits.maxAgeMs * nsPerMs,
    max_bytes: limits.maxBytes,
    max_msgs_per_subject: -1,
    max_msg_size: feedMessageBytesMax * 2,
    duplicate_window: limits.duplicateWindowMs * nsPerMs,
    allow_direct: true,
  };
}

/**
 * Makes the stream when there is none. One that is there is left as it is: an operator may have made it so, and a
 * change of replicas or limits moves data. Returns its last sequence.
 *
 * @throws {StreamDiffers} for the first field that is not as it should be.
 */
export async function ensureStream(
  manager: JetStreamManager,
  subjects: Subjects,
  limits: StreamLimits,
): Promise<number> {
  const wanted = streamConfig(subjects, limits);
  const name = subjects.stream;
  if (!(await isThere(manager, name))) await manager.streams.add({ name, ...wanted });
  const { config, state } = await manager.streams.info(name);
  const found: Readonly<Record<string, unknown>> = { ...config };
  for (const [field, expected] of Object.entries(wanted)) {
    if (JSON.stringify(found[field]) !== JSON.stringify(expected))
      throw new StreamDiffers(name, field, { expected, got: found[field] });
  }
  return state.last_seq;
}

async function isThere(manager: JetStreamManager, name: string): Promise<boolean> {
  try {
    await manager.streams.info(name);
    return true;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return false;
    throw error;
  }
}
