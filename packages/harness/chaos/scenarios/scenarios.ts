import type { Scenario } from '../run/scenario.ts';
import { feedBlackhole } from './feed-blackhole.ts';
import { verifierKill } from './verifier-kill.ts';

/** All there are, in the order in which they run. */
export const scenarios: readonly Scenario[] = [verifierKill, feedBlackhole];
