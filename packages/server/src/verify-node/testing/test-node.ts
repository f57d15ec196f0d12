import { Secret } from '@keyswarm/core';
import type { FeedSource } from '@keyswarm/verifier';
import { createLog } from '../../logging/log.ts';
import { loadNodeConfig, nodeConfigWith } from '../load-node-config.ts';
import type { NodeConfig } from '../node-config.ts';
import { type RunningNode, startVerifyNode } from '../start-node.ts';

export interface TestNode extends RunningNode {
  readonly log: () => string;
}

/** A node in this process over any source, with the settings of a test. */
export async function startTestNode(
  source: FeedSource,
  config: Partial<NodeConfig> = {},
  credential = 'unused',
): Promise<TestNode> {
  const lines: string[] = [];
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  const settings = nodeConfigWith({
    relays: 'http://127.0.0.1:1',
    port: 0,
    drainTimeoutMs: 2_000,
    ...config,
  });
  const node = await startVerifyNode(settings, { log, credential: new Secret(credential), source });
  return { ...node, log: () => lines.join('') };
}

/** As the process loads them, from these variables and flags and no file. */
export function loadNodeSettings(
  variables: Readonly<Record<string, string>>,
  flags: Readonly<Record<string, string>> = {},
) {
  return loadNodeConfig({ variables, flags, readFile: () => undefined });
}
