import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Workflows } from '../workflows/workflows.ts';

/*
 * Every job of the house, once: its name, when it is done, and what does it. `periodic` for what the clock asks
 * for, `queue` for what somebody sends. All of them are safe to be done twice and at once.
 */
export function registerJobs(_workflows: Workflows, _ports: UseCasePorts): void {
  // Filled by the rooms that own the work.
}
