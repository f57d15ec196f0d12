import type { LiveFrame } from '@keyswarm/contract';

/* Sums over the figures of a frame, as the page names them. */

export const sumOf = (figures: Readonly<Record<string, number>>, names?: readonly string[]): number =>
  Object.entries(figures).reduce(
    (sum, [name, value]) => (names === undefined || names.includes(name) ? sum + value : sum),
    0,
  );

export const verifications = ({ verdicts }: LiveFrame): number => sumOf(verdicts);
export const valid = ({ verdicts }: LiveFrame): number => verdicts.valid ?? 0;
export const refused = (frame: LiveFrame): number =>
  verifications(frame) - valid(frame) - (frame.verdicts.stale ?? 0);
export const issued = ({ changes }: LiveFrame): number =>
  sumOf(changes, ['key.issued', 'key.imported', 'key.exchanged']);
export const rotated = ({ changes }: LiveFrame): number => sumOf(changes, ['key.rotated']);
export const revoked = ({ changes }: LiveFrame): number =>
  sumOf(changes, ['key.revoked', 'key.suspended', 'owner.suspended', 'owner.keys_revoked']);
export const shed = (frame: LiveFrame): number => sumOf(frame.shed);

/** The leases of the workspace: the shortest is the first to fence a verifier, the longest the last. */
export function leaseBounds({ keyspaces }: LiveFrame): {
  readonly shortestMs: number;
  readonly longestMs: number;
} {
  const leases = keyspaces.map(({ lease_ms }) => lease_ms);
  if (leases.length === 0) return { shortestMs: 30_000, longestMs: 30_000 };
  return { shortestMs: Math.min(...leases), longestMs: Math.max(...leases) };
}

export type LeaseHealth = 'fresh' | 'aging' | 'stale' | 'fenced' | 'starting';

/** By the shortest lease it is the first that stops being served; by the longest nothing is served any more. */
export function leaseHealth(
  { lease_age_ms, state }: LiveFrame['verifiers']['items'][number],
  bounds: { readonly shortestMs: number; readonly longestMs: number },
): LeaseHealth {
  if (lease_age_ms === null) return state === 'fenced' ? 'fenced' : 'starting';
  if (state === 'fenced' || lease_age_ms > bounds.longestMs) return 'fenced';
  if (lease_age_ms > bounds.shortestMs) return 'stale';
  return lease_age_ms > bounds.shortestMs / 2 ? 'aging' : 'fresh';
}
