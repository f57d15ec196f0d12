import { createResidentVerifier } from '../resident-verifier.ts';
import type { ResidentVerifier, VerifierClock } from '../verifier-port.ts';
import { sampleSeed } from './sample-facts.arbitrary.ts';

/** Another verifier, made of what this one holds. */
export function copyOf(verifier: ResidentVerifier, clock: VerifierClock): ResidentVerifier {
  const copy = createResidentVerifier({ clock, indexSeed: sampleSeed });
  const loading = copy.startSnapshot();
  for (const { kind, fact } of verifier.facts()) {
    if (kind === 'key') loading.applyKey(fact);
    else if (kind === 'owner') loading.applyOwner(fact);
    else if (kind === 'signingKey') loading.applySigningKey(fact);
    else loading.applyKeyspace(fact);
  }
  loading.finish(verifier.applied());
  return copy;
}
