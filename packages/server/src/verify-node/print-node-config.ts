import { explainSettings, printSettings } from '../config/print-config.ts';
import type { LoadedNodeConfig } from './load-node-config.ts';
import { nodeSettings } from './node-config.ts';

/** `keyswarm config print --verifier`: what holds, where it comes from, secrets masked. */
export function printNodeConfig({ config, sources }: LoadedNodeConfig): string {
  return printSettings(nodeSettings, config, sources);
}

/** `keyswarm config explain --verifier`. */
export function explainNodeConfig(): string {
  return explainSettings(nodeSettings);
}
