import { type FoundProgram, findProgram } from '../processes/find-program.ts';

export type FoundNats = FoundProgram;

export function findNats(): FoundNats {
  return findProgram({
    name: 'nats-server',
    debianPackage: 'nats-server',
    leftOut: 'the suites of packages/nats that need a broker',
  });
}
