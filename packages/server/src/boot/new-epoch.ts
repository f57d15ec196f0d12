import { startNewEpoch } from '../feed/init-store.ts';
import { createLog } from '../logging/log.ts';
import { currentProcess, type ProcessPort } from '../runtime/process.ts';
import { openStore } from './open-store.ts';
import { type Flags, loadProcessConfig } from './run-server.ts';

/**
 * Begins a new epoch in the store that the settings name, and says which. For after a restore, or a failover that may
 * have lost commits, before the first write: every verifier then loads a snapshot, none goes on from what it had, and
 * for as long as a lease can last no change is called effective early. Servers may be down or up; one that holds an
 * embedded store has to be down.
 */
export async function beginNewEpoch(flags: Flags, port: ProcessPort = currentProcess): Promise<number> {
  const { config } = loadProcessConfig(flags, port);
  const store = await openStore(config, createLog(config.logLevel));
  try {
    return await startNewEpoch(store);
  } finally {
    await store.close();
  }
}
