import { describeAccess } from './access.conformance.ts';
import { describeApprovalGuards } from './approval-guards.conformance.ts';
import { describeApprovalStore } from './approval-store.conformance.ts';
import { describeApprovals } from './approvals.conformance.ts';
import { describeBadFields } from './bad-fields.conformance.ts';
import { describeBadRequests } from './bad-requests.conformance.ts';
import { describeCampaigns } from './campaigns.conformance.ts';
import { describeEffective } from './effective.conformance.ts';
import { describeEnrollment } from './enrollment.conformance.ts';
import { describeEscalation } from './escalation.conformance.ts';
import { describeEventStream } from './event-stream.conformance.ts';
import { describeHolders } from './holders.conformance.ts';
import { describeLifecycle } from './lifecycle.conformance.ts';
import { describeLists } from './lists.conformance.ts';
import { describeManagementGuards } from './management-guards.conformance.ts';
import { describePositions } from './positions.conformance.ts';
import { describeRetries } from './retries.conformance.ts';
import { describeRotations } from './rotations.conformance.ts';
import { describeService } from './service.conformance.ts';
import type { TestServer } from './test-server.ts';
import { describeVerdicts } from './verdicts.conformance.ts';
import { describeWebhooks } from './webhooks.conformance.ts';

/** Everything that a server has to do over the wire, whatever it stands on. */
export function describeWholeServer(serverOf: () => TestServer): void {
  describeLifecycle(serverOf);
  describePositions(serverOf);
  describeEffective(serverOf);
  describeLists(serverOf);
  describeBadRequests(serverOf);
  describeBadFields(serverOf);
  describeVerdicts(serverOf);
  describeCampaigns(serverOf);
  describeAccess(serverOf);
  describeEscalation(serverOf);
  describeManagementGuards(serverOf);
  describeApprovals(serverOf);
  describeApprovalGuards(serverOf);
  describeApprovalStore(serverOf);
  describeRetries(serverOf);
  describeHolders(serverOf);
  describeEnrollment(serverOf);
  describeRotations(serverOf);
  describeService(serverOf);
  describeWebhooks(serverOf);
  describeEventStream(serverOf);
}
