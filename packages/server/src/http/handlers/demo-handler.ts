import type { DemoState } from '@keyswarm/contract';
import { Fault } from '@keyswarm/core';
import { requireScope } from '../../access/grants.ts';
import type { Handlers } from '../handler.ts';

/** Of whoever started this server to show what it does: the swarm is a client of the API, and none of the server's. */
export interface DemoDoor {
  state(): DemoState;
  /** Goes on with the run that is under way, or begins one. */
  start(): DemoState;
}

export function demoHandler({ demo }: { readonly demo?: DemoDoor | undefined }): Handlers<'startDemo'> {
  return {
    startDemo({ caller }) {
      requireScope(caller, 'demo:start');
      if (demo === undefined) {
        throw new Fault('not_found', { detail: 'This server was not started with --demo.' });
      }
      return demo.start();
    },
  };
}
