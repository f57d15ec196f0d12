import { spawnSync } from 'node:child_process';
import { type FoundProgram, findProgram } from '../processes/find-program.ts';

export type FoundNginx = FoundProgram;

/** With `auth_request`, without which there is nothing to test. */
const needed = 'http_auth_request_module';

export function findNginx(): FoundNginx {
  return findProgram({
    name: 'nginx',
    debianPackage: 'nginx-light',
    leftOut: 'the suite of forward-auth that needs a proxy',
    isFit: canAsk,
  });
}

/** It says how it was built on stderr. */
function canAsk(path: string): boolean {
  return spawnSync(path, ['-V'], { encoding: 'utf8' }).stderr.includes(needed);
}
