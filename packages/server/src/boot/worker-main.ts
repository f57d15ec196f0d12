import { assert } from '@keyswarm/core';
import { parentChannel } from '../runtime/parent-channel.ts';
import type { FromWorker, ToWorker } from '../workers/worker-messages.ts';
import { runWorker } from './run-worker.ts';

/** The process of a worker. Started by its supervisor over a channel, and by nobody else. */
const channel = parentChannel<FromWorker, ToWorker>();
assert(channel !== undefined, 'a worker is started by its supervisor');
runWorker(channel);
