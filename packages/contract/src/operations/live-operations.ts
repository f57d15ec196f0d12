import { demoState, liveMediaType, liveStream } from '../schemas/live.ts';
import { operation } from './operation.ts';
import { routes } from './routes.ts';

/* For those who watch: the console, and whoever wants the same figures. */
export const liveOperations = {
  streamLive: operation(routes.streamLive, {
    summary: 'Watch the flow',
    description:
      'Server-sent events, one `frame` a second: rates, latency, verifiers, revocations as they spread. What one frame costs does not depend on the number of keys, and is shared by all who watch.',
    scope: 'metrics:read',
    perKeyspace: false,
    reply: liveStream,
    replyType: liveMediaType,
    faults: ['store_unavailable'],
  }),
  startDemo: operation(routes.startDemo, {
    summary: 'Run the demonstration',
    description:
      'Only where the server was started with `--demo`; elsewhere `not_found`. One run at a time: asked again, it goes on with the one that runs.',
    scope: 'demo:start',
    perKeyspace: false,
    reply: demoState,
    faults: ['not_found'],
  }),
};
