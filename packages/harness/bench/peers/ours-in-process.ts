import { createResidentVerifier, systemVerifierClock } from '@keyswarm/verifier';
import { populate } from '../spine/population.ts';

/* The verifier as a Node service holds it, in a process of its own like every peer. */

const versions = 10_000;
const callsBetweenLooks = 1_000;

const verifier = createResidentVerifier({ clock: systemVerifierClock(), shards: 4 });
const { keys, workspaceId } = populate(verifier, versions, versions);
const requirement = { workspaceId, keyspace: undefined, scopes: ['orders:read'] };

process.on('message', ({ seconds }: { readonly seconds: number }) => {
  process.send?.({ perSecond: verifyFor(seconds) });
});
process.on('disconnect', () => process.exit());
verifyFor(0.2);
process.send?.({ cases: ['keyswarm verify'] });

function verifyFor(seconds: number): number {
  let done = 0;
  const beganMs = performance.now();
  const untilMs = beganMs + seconds * 1000;
  while (performance.now() < untilMs) {
    verifier.renewLease(performance.now());
    for (let call = 0; call < callsBetweenLooks; call += 1) {
      const verdict = verifier.verify(keys[done % keys.length] ?? '', requirement);
      if (!verdict.valid) throw new Error(`a key of the population is ${verdict.code}`);
      done += 1;
    }
  }
  return (done * 1000) / (performance.now() - beganMs);
}
