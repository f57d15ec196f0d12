import type { Finding } from './check-server.ts';

/** Would a server start with the settings that stand here? They need not be those of the server that runs. */
export async function checkSettings(): Promise<readonly Finding[]> {
  const check = 'settings';
  const { loadProcessConfig, ConfigError } = await import('@keyswarm/server/start');
  try {
    const { config, shouts } = loadProcessConfig({});
    const detail = `profile ${config.profile}, ${config.databaseUrl === null ? `data in ${config.dataDir}` : 'PostgreSQL'}`;
    const warnings = shouts.map((shout): Finding => ({ check, state: 'warning', detail: shout }));
    return [{ check, state: 'ok', detail }, ...warnings];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ check, state: 'fault', detail: error.message }];
  }
}
