import type { Scenario } from '../run/scenario.ts';
import { backendsTerminated } from './backends-terminated.ts';
import { brokerLoss } from './broker-loss.ts';
import { campaignAtPeak } from './campaign-at-peak.ts';
import { clockFaults } from './clock-faults.ts';
import { coldHerd } from './cold-herd.ts';
import { databaseCrash } from './database-crash.ts';
import { feedBlackhole } from './feed-blackhole.ts';
import { idleWriter } from './idle-writer.ts';
import { oneWayPartition } from './one-way-partition.ts';
import { poisonEvent } from './poison-event.ts';
import { primaryLost } from './primary-lost.ts';
import { relayLoss } from './relay-loss.ts';
import { signingKeyCompromise } from './signing-key-compromise.ts';
import { slowNetwork } from './slow-network.ts';
import { verifierKill } from './verifier-kill.ts';
import { verifierPause } from './verifier-pause.ts';
import { webhookBacklog } from './webhook-backlog.ts';

/** All there are, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  verifierKill,
  feedBlackhole,
  oneWayPartition,
  verifierPause,
  clockFaults,
  slowNetwork,
  databaseCrash,
  primaryLost,
  backendsTerminated,
  idleWriter,
  relayLoss,
  brokerLoss,
  poisonEvent,
  campaignAtPeak,
  signingKeyCompromise,
  coldHerd,
  webhookBacklog,
];

/** Those that run with every change, shortened: under a minute together. */
export const shortSet: readonly string[] = ['verifier-kill', 'feed-blackhole', 'verifier-pause'];
