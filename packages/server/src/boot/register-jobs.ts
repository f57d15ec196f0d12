import type { UseCasePorts } from '../access/use-case-ports.ts';
import { expireApprovals } from '../approvals/expire-approvals.ts';
import type { ServerConfig } from '../config/config-schema.ts';
import { finishSettledRotations } from '../keys/finish-settled.ts';
import { requestDueRenewals } from '../keys/request-renewals.ts';
import { sweepExpiry } from '../keys/sweep-expiry.ts';
import {
  approvalSweepSeconds,
  approvalsSweptMax,
  expirySweepSeconds,
  renewalSweepSeconds,
  settleSweepSeconds,
  signingSweepSeconds,
} from '../limits.ts';
import { retentionSweepSeconds } from '../retention/limits.ts';
import { type RetentionPorts, sweepEnded } from '../retention/sweep-ended.ts';
import type { SigningPorts } from '../signing-keys/signing-key-ports.ts';
import { tendSigningKeys } from '../signing-keys/tend-signing-keys.ts';
import type { Workflows } from '../workflows/workflows.ts';

/*
 * Every job of the house, once: its name, when it is done, and what does it. `periodic` for what the clock asks
 * for, `queue` for what somebody sends. All of them are safe to be done twice and at once.
 */
export function registerJobs(
  workflows: Workflows,
  ports: UseCasePorts & RetentionPorts & { readonly signing: SigningPorts },
  config: Pick<ServerConfig, 'signingKeyRotateDays' | 'endedRetentionDays'>,
): void {
  workflows.periodic({
    name: 'approvals.expire',
    everySeconds: approvalSweepSeconds,
    run: async () => {
      await expireApprovals(ports, approvalsSweptMax);
    },
  });
  workflows.periodic({
    name: 'keys.expiry',
    everySeconds: expirySweepSeconds,
    run: async (signal) => {
      await sweepExpiry(ports, signal);
    },
  });
  workflows.periodic({
    name: 'rotations.settle',
    everySeconds: settleSweepSeconds,
    run: async (signal) => {
      await finishSettledRotations(ports, undefined, signal);
    },
  });
  workflows.periodic({
    name: 'rotations.renewals',
    everySeconds: renewalSweepSeconds,
    run: async (signal) => {
      await requestDueRenewals(ports, undefined, signal);
    },
  });
  const { signingKeyRotateDays: days, endedRetentionDays: keptDays } = config;
  if (keptDays > 0) {
    workflows.periodic({
      name: 'retention.ended',
      everySeconds: retentionSweepSeconds,
      run: async (signal) => {
        await sweepEnded(ports, keptDays * dayMs, signal);
      },
    });
  }
  workflows.periodic({
    name: 'signing_keys.tend',
    everySeconds: signingSweepSeconds,
    run: async (signal) => {
      await tendSigningKeys(ports, { rotateAfterMs: days === 0 ? null : days * dayMs }, signal);
    },
  });
}

const dayMs = 86_400_000;
