import { Fault } from '@keyswarm/core';
import type { RequestIdOf, ShortWay } from '../http/build-app.ts';
import { ForwardAuth, type ForwardAuthServices } from './forward-auth.ts';
import { forwardAuthPath } from './forward-auth-question.ts';

/** Forward-auth as a way past the framework; none where no keyspace may be asked about. */
export function forwardAuthWays(
  keyspaces: readonly string[] | undefined,
  services: Omit<ForwardAuthServices, 'keyspaces' | 'requestIdOf'>,
): (requestIdOf: RequestIdOf) => readonly ShortWay[] {
  if (keyspaces === undefined) return () => [];
  return (requestIdOf) => [new ForwardAuth({ ...services, keyspaces: new Set(keyspaces), requestIdOf })];
}

/**
 * What is said at the path of forward-auth where it is off: only there does a request come as far as to be missing. That
 * it is off was no secret before, since nothing else answers 404 here.
 */
export function forwardAuthIsOff(path: string): Fault | undefined {
  if (path !== forwardAuthPath) return undefined;
  return new Fault('not_found', {
    detail:
      'Forward-auth is off here: it is on where --forward-auth names the keyspaces that may be asked about.',
  });
}
