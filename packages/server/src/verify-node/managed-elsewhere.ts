import { oauthOperations, operations } from '@keyswarm/contract';
import { Fault } from '@keyswarm/core';

/**
 * What a server does and a node does not. Somebody who sends such a call here has the wrong address, and "there is
 * nothing at this path" would not tell them. Where the servers are is not said: whoever may manage knows it, and
 * whoever asks without a key need not. The feed is left out: it is asked for by verifiers, which take 404 for "no relay".
 */
export function managedElsewhere(path: string): Fault | undefined {
  if (!managed.has(areaOf(path))) return undefined;
  return new Fault('verifier_only', {
    detail:
      'This is a verifier: it answers verifications from memory and has no store. Send management calls to a Keyswarm server.',
    expected: 'POST /v1/keys/verify or /v1/keys/verify/bulk; anything else at a server',
  });
}

/** `/v1/keys` of `/v1/keys/key_1/revoke`. */
function areaOf(path: string): string {
  return path.split('/').slice(0, 3).join('/');
}

const managed: ReadonlySet<string> = new Set(
  [...Object.values(operations), ...Object.values(oauthOperations)]
    .map(({ path }) => areaOf(path))
    .filter((area) => /^\/(v1|oauth|scim)\//.test(area) && area !== '/v1/feed'),
);
