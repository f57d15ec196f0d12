import type { KeyspaceId } from '@keyswarm/core';
import { reachNamedMax } from '../limits.ts';
import type { FeedFilter } from './feed-filter.ts';

/**
 * Of which keyspaces a verifier may accept keys: what its relay lets it read. Whoever asks after one keyspace need not
 * care for the silence of a verifier that holds nothing of it. Too wide is the error that only delays, so what is not
 * known, or too long to tell, is everything. Absent members: as in a filter.
 */
export interface Reach {
  readonly keyspaces?: readonly KeyspaceId[] | undefined;
  readonly without?: readonly KeyspaceId[] | undefined;
}

export const wholeReach: Reach = Object.freeze({});

export function reachOf({ keyspaces, without }: FeedFilter): Reach {
  if (keyspaces === undefined && without === undefined) return wholeReach;
  return {
    ...(keyspaces === undefined ? {} : { keyspaces: [...keyspaces].sort() }),
    ...(without === undefined ? {} : { without: [...without].sort() }),
  };
}

/** The same text for reaches that are the same. */
export function reachText({ keyspaces, without }: Reach): string {
  return `${keyspaces?.join() ?? '*'} ${without?.join() ?? '*'}`;
}

export function reachesKeyspace({ keyspaces, without }: Reach, id: KeyspaceId): boolean {
  return (keyspaces === undefined || keyspaces.includes(id)) && without?.includes(id) !== true;
}

/** Is everything in `inner` also in `outer`? */
export function coversReach(outer: Reach, inner: Reach): boolean {
  if (inner.keyspaces !== undefined) {
    return inner.keyspaces.every((id) => reachesKeyspace(outer, id) || !reachesKeyspace(inner, id));
  }
  return outer.keyspaces === undefined && (outer.without ?? []).every((id) => inner.without?.includes(id));
}

/** What any of them reaches, or more. */
export function joinedReach(reaches: readonly Reach[]): Reach {
  const [first = wholeReach, ...rest] = reaches;
  return rest.reduce((all, one) => joined(all, one), bounded(first));
}

function joined(a: Reach, b: Reach): Reach {
  if (coversReach(a, b)) return a;
  if (coversReach(b, a)) return bounded(b);
  if (a.keyspaces !== undefined && b.keyspaces !== undefined) {
    const within = [a, b].flatMap((one) => (one.keyspaces ?? []).filter((id) => reachesKeyspace(one, id)));
    return bounded({ keyspaces: [...new Set(within)].sort() });
  }
  // One of them is all but some: what both leave out is left out of both.
  const leftOut = [a.without, b.without].flatMap((ids) => ids ?? []);
  const without = [...new Set(leftOut)].filter((id) => !reachesKeyspace(a, id) && !reachesKeyspace(b, id));
  return bounded(without.length === 0 ? wholeReach : { without: without.sort() });
}

/** Past a length that is kept and told for each verifier, everything. */
export function bounded(reach: Reach): Reach {
  const named = (reach.keyspaces?.length ?? 0) + (reach.without?.length ?? 0);
  return named > reachNamedMax ? wholeReach : reach;
}
