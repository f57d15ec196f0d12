/*
 * The data plane as a library: it runs in any Node process, and reaches no file, no socket and no store.
 */

export type { IndexSeed } from './clock/index-seed.ts';
export { ManualVerifierClock } from './clock/manual-verifier-clock.ts';
export {
  type ClockOffset,
  type SystemClockOptions,
  systemVerifierClock,
} from './clock/system-verifier-clock.ts';
export {
  createResidentVerifier,
  type ResidentVerifierOptions,
  type VerifierLimits,
} from './resident-verifier.ts';
export { fingerprintOf } from './verdict/fingerprint.ts';
export type {
  Applied,
  Requirement,
  ResidentVerifier,
  SnapshotLoad,
  VerifierClock,
  VerifierStats,
} from './verifier-port.ts';
