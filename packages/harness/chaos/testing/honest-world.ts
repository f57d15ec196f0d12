import fc from 'fast-check';
import type { Evidence } from '../checker/evidence.ts';
import { StoryTeller, wallOriginMs } from './story-teller.ts';

/*
 * Histories of a system that keeps its promises: one store, in which each change happens at an instant between its invocation and its
 * answer, and two verifiers that hear of it within T. Some answers are lost.
 */

const wishes = fc.array(
  fc.record({
    what: fc.constantFrom(
      'rotate',
      'revoke',
      'suspend',
      'resume',
      'verify',
      'verify',
      'verify',
      'fresh',
      'read',
    ),
    at: fc.constantFrom('node-1', 'node-2'),
    takesMs: fc.integer({ min: 2, max: 400 }),
    pauseMs: fc.integer({ min: 1, max: 1_500 }),
    isLost: fc.boolean(),
    isOld: fc.boolean(),
  }),
  { maxLength: 40 },
);

interface World {
  life: 'active' | 'suspended' | 'revoked';
  versions: number;
}

const after: Readonly<Record<string, (world: World) => World | undefined>> = {
  rotate: (world) =>
    world.life === 'active' && world.versions < 2 ? { ...world, versions: world.versions + 1 } : undefined,
  revoke: (world) => (world.life === 'revoked' ? undefined : { ...world, life: 'revoked' }),
  suspend: (world) => (world.life === 'active' ? { ...world, life: 'suspended' } : undefined),
  resume: (world) => (world.life === 'suspended' ? { ...world, life: 'active' } : undefined),
};

/** How long a verifier may go on as before, ms: less than T. */
const lagMs = 1_000;

export const honestEvidence: fc.Arbitrary<Evidence> = wishes.map((drawn) => {
  const teller = new StoryTeller().issue();
  const past: { readonly fromMs: number; readonly world: World }[] = [
    { fromMs: 5, world: { life: 'active', versions: 1 } },
  ];
  const worldAt = (ms: number): World =>
    past.findLast(({ fromMs }) => fromMs <= ms)?.world ?? { life: 'active', versions: 1 };
  const heard = new Map<string, number>();
  let nowMs = 2_000;
  let number = 1;
  for (const { what, at, takesMs, pauseMs, isLost, isOld } of drawn) {
    const times = [nowMs, nowMs + takesMs] as const;
    const change = after[what]?.(worldAt(nowMs));
    if (change !== undefined) {
      number += 1;
      past.push({ fromMs: nowMs + takesMs / 2, world: change });
      teller.write(what as 'rotate', [times[0], isLost ? Number.POSITIVE_INFINITY : times[1]], {
        graceMs: 3_600_000,
        ...(isLost
          ? {}
          : {
              result: {
                seq: `1.0.${number}`,
                version: change.versions,
                retiresAtMs: wallOriginMs + nowMs + 3_600_000,
              },
            }),
      });
    } else if (what === 'read') {
      const { life, versions } = worldAt(nowMs + takesMs / 2);
      teller.op('read', times, {
        at: 'server-1',
        result: { life, versions, liveVersions: Math.min(2, versions) },
      });
    } else if (what === 'verify' || what === 'fresh') {
      const freshMs = nowMs + takesMs / 2;
      // What a verifier has heard of it does not forget; and it refuses by what is so now (SPEC.md, rule 13).
      const staleMs = Math.max(heard.get(at) ?? 0, freshMs - (what === 'fresh' ? 0 : isOld ? lagMs : 0));
      const seesMs = worldAt(staleMs).life === 'active' ? staleMs : freshMs;
      heard.set(at, seesMs);
      const { life } = worldAt(seesMs);
      const minSeq = what === 'fresh' ? { minSeq: `1.0.${number}` } : {};
      teller.verify(times, life === 'active' ? 'valid' : life, { at, version: 1, ...minSeq });
    }
    nowMs += takesMs + pauseMs;
  }
  const { life, versions } = worldAt(Number.POSITIVE_INFINITY);
  const states = Array.from({ length: versions }, (_, index) => ({ version: index + 1, state: 'active' }));
  return teller.evidence({ finalKeys: [{ keyId: 'key_1', name: 'chaos 1', state: life, versions: states }] });
});
