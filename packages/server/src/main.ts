/*
 * What starts and explains a server: `@keyswarm/server/start`. Importing it starts nothing.
 *
 *   runServer(flags)                 the process: settings, start, signals, drain, exit
 *   startServer(config, options)     a server inside another process
 *   loadProcessConfig, printConfig, explainConfig    `keyswarm config`
 *   beginNewEpoch(flags)             after a restore: sends every verifier to a snapshot
 *   mintBootstrapKey(random)         a first management key, made offline
 */
export { beginNewEpoch } from './boot/new-epoch.ts';
export { type Flags, loadProcessConfig, runServer } from './boot/run-server.ts';
export { type RunningServer, type StartOptions, startServer } from './boot/start-server.ts';
export { ConfigError } from './config/config-error.ts';
export { flagOf, type ServerConfig, settingNames, settings } from './config/config-schema.ts';
export { configWith, type LoadedConfig, loadConfig } from './config/load-config.ts';
export { explainConfig, printConfig } from './config/print-config.ts';
export type { SettingSchema } from './config/setting.ts';
export { createLog, type Log } from './logging/log.ts';
export { systemRandom } from './runtime/random.ts';
export { mintBootstrapKey } from './workspaces/bootstrap.ts';
