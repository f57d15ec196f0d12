/*
 * What starts and explains a verify-only node: `@keyswarm/server/verifier`. Importing it starts nothing, and loads no
 * store.
 *
 *   runVerifyNode(flags)             the process: settings, start, signals, drain, exit
 *   startVerifyNode(config, options) a node inside another process
 *   loadNodeProcessConfig, printNodeConfig, explainNodeConfig    `keyswarm config … --verifier`
 */
export { ConfigError } from './config/config-error.ts';
export { createLog, type Log } from './logging/log.ts';
export { type LoadedNodeConfig, loadNodeConfig, nodeConfigWith } from './verify-node/load-node-config.ts';
export { type NodeConfig, nodeSettings } from './verify-node/node-config.ts';
export { explainNodeConfig, printNodeConfig } from './verify-node/print-node-config.ts';
export { loadNodeProcessConfig, type NodeFlags, runVerifyNode } from './verify-node/run-node.ts';
export { type NodeOptions, type RunningNode, startVerifyNode } from './verify-node/start-node.ts';
