import type { Scenario } from '../run/scenario.ts';
import { backendsTerminated } from './backends-terminated.ts';
import { brokerLoss } from './broker-loss.ts';
import { campaignAtPeak } from './campaign-at-peak.ts';
import { clockFaults } from './clock-faults.ts';
import { coldHerd } from './cold-herd.ts';
import { combine } from './combine.ts';
import { databaseCrash } from './database-crash.ts';
import { diskFaults } from './disk-faults.ts';
import { feedBlackhole } from './feed-blackhole.ts';
import { idleWriter } from './idle-writer.ts';
import { lossyNetwork } from './lossy-network.ts';
import { lyingFeed } from './lying-feed.ts';
import { oneWayPartition } from './one-way-partition.ts';
import { poisonEvent } from './poison-event.ts';
import { primaryLost } from './primary-lost.ts';
import { relayLoss } from './relay-loss.ts';
import { rollingRestart } from './rolling-restart.ts';
import { serverClocks } from './server-clocks.ts';
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
  lyingFeed,
  verifierPause,
  clockFaults,
  serverClocks,
  slowNetwork,
  lossyNetwork,
  databaseCrash,
  primaryLost,
  backendsTerminated,
  idleWriter,
  diskFaults,
  relayLoss,
  rollingRestart,
  brokerLoss,
  poisonEvent,
  campaignAtPeak,
  signingKeyCompromise,
  coldHerd,
  webhookBacklog,
];

/** What runs with every change, shortened, and on one cluster. */
export const shortRound: Scenario = combine({
  name: 'short-round',
  about: 'A verifier is killed, one is cut off while a key is revoked, and one stands still for two leases.',
  parts: [verifierKill, feedBlackhole, verifierPause],
});
