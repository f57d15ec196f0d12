import type { RequestIdOf, ShortWay } from '../http/build-app.ts';
import { ForwardAuth, type ForwardAuthServices } from './forward-auth.ts';

/** Forward-auth as a way past the framework; none where no keyspace may be asked about. */
export function forwardAuthWays(
  keyspaces: readonly string[] | undefined,
  services: Omit<ForwardAuthServices, 'keyspaces' | 'requestIdOf'>,
): (requestIdOf: RequestIdOf) => readonly ShortWay[] {
  if (keyspaces === undefined) return () => [];
  return (requestIdOf) => [new ForwardAuth({ ...services, keyspaces: new Set(keyspaces), requestIdOf })];
}
