import { namesAtOnceMax } from '../limits.ts';
import type { Resolve } from './guarded-lookup.ts';

type Settle = Parameters<Resolve>[1];

/**
 * A look-up by the system holds one of Node's four threads until it is answered, and whoever owns a name decides when that
 * is. So a few are under way at once, each name is looked up once for all who wait for it, and the rest waits its turn:
 * names that are never answered delay other names, and keep neither files nor signatures waiting.
 */
export function fewLookups(resolve: Resolve, atOnceMax: number = namesAtOnceMax): Resolve {
  const waiting = new Map<string, Settle[]>();
  const underWay = new Map<string, Settle[]>();

  const begin = (): void => {
    for (const [hostname, settles] of waiting) {
      if (underWay.size >= atOnceMax) return;
      waiting.delete(hostname);
      underWay.set(hostname, settles);
      resolve(hostname, (error, addresses) => {
        underWay.delete(hostname);
        begin();
        for (const settle of settles) settle(error, addresses);
      });
    }
  };

  return (hostname, settle) => {
    const others = underWay.get(hostname) ?? waiting.get(hostname);
    if (others === undefined) waiting.set(hostname, [settle]);
    else others.push(settle);
    begin();
  };
}
