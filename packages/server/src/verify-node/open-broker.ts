import { Secret } from '@keyswarm/core';
import { createNatsFeedSource } from '@keyswarm/nats';
import type { OpenBeside } from '@keyswarm/verifier';
import { openNatsLink } from '../boot/open-nats.ts';
import type { Log } from '../logging/log.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { NodeConfig } from './node-config.ts';

export type BrokerSettings = Pick<
  NodeConfig,
  'natsServers' | 'natsCredentialsFile' | 'natsPrefix' | 'natsDomain'
>;

/**
 * A broker before the relays of a node: it brings changes sooner, and the relays do everything that it doesn't.
 * Undefined where none is set.
 */
export function openBroker(config: BrokerSettings, log: Log): OpenBeside | undefined {
  if (config.natsServers === null) return undefined;
  const { natsPrefix: prefix, natsDomain } = config;
  return (fallback, { identity, credential, keyspaces, downstream }) => {
    const link = openNatsLink(config, `keyswarm ${identity.kind}`, log);
    if (link === undefined) return { source: fallback, close() {} };
    const source = createNatsFeedSource({
      link,
      fallback,
      timers: systemTimers,
      prefix,
      domain: natsDomain ?? undefined,
      credential: typeof credential === 'string' ? new Secret(credential) : credential,
      identity: () => ({ verifier: identity, keyspaces, downstream: downstream?.() ?? [] }),
    });
    return { source, close: () => void link.close() };
  };
}
