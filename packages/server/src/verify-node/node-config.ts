import Type, { type Static } from 'typebox';
import { natsPattern, natsPrefixPattern } from '../config/config-schema.ts';
import {
  connectionSettings,
  logSettings,
  requestSettings,
  telemetrySettings,
} from '../config/door-settings.ts';
import { optionalText, type SettingSchema, text, whole, yesOrNo } from '../config/setting.ts';
import type { SettingsTable } from '../config/settings-table.ts';

/*
 * Every setting of a verify-only node, once, as config-schema.ts has those of a server. What both have is called the
 * same, so that one file of variables may serve both; a node has no profile, for it has nothing that one would set.
 */

const keyspaceList = '^[a-z0-9][a-z0-9._-]{0,63}(,[a-z0-9][a-z0-9._-]{0,63}){0,255}$';

export const nodeSchema = Type.Object(
  {
    relays: optionalText({
      about: 'Servers or other relays that this node follows, separated by commas; the flag may be repeated.',
      expected: 'one or more of http://host:port or https://host, separated by commas',
      pattern: '^https?://[^,\\s@?#]+(,https?://[^,\\s@?#]+)*$',
      byDefault: null,
    }),
    verifierKey: optionalText({
      about: 'The management key by which it reads the feed: scopes feed:read and feed:read:keyswarm.',
      expected: 'a management key',
      byDefault: null,
      secret: true,
    }),
    verifierKeyFile: optionalText({
      about: 'A file that holds that key, in place of the variable.',
      expected: 'a file that holds a management key',
      byDefault: null,
    }),
    natsServers: optionalText({
      about: 'A NATS broker that brings changes sooner than the relays, which stand behind it.',
      expected: 'one or more of nats://host:port or tls://user:password@host:port, separated by commas',
      pattern: natsPattern,
      byDefault: null,
      secret: true,
    }),
    natsCredentialsFile: optionalText({
      about: 'A .creds file by which this node is known to the broker.',
      expected: 'a file',
      byDefault: null,
    }),
    natsPrefix: text({
      about: 'What the subjects of its servers on the broker begin with.',
      expected: 'one to four words of A-Z a-z 0-9 _ - with dots between them',
      pattern: natsPrefixPattern,
      byDefault: 'keyswarm',
    }),
    natsDomain: optionalText({
      about: 'The JetStream domain of the broker, where this node is connected to a leaf of it.',
      expected: 'a name of A-Z a-z 0-9 _ -',
      pattern: '^[A-Za-z0-9_-]{1,32}$',
      byDefault: null,
    }),
    name: optionalText({
      about: 'What people call this node; it stands in the list of verifiers. The host name when absent.',
      expected: '1 to 64 printable characters',
      pattern: '^[\\x20-\\x7e]{1,64}$',
      byDefault: null,
    }),
    region: optionalText({
      about: 'Where this node is, for the list of verifiers.',
      expected: '1 to 64 printable characters',
      pattern: '^[\\x20-\\x7e]{1,64}$',
      byDefault: null,
    }),
    keyspaces: optionalText({
      about:
        'Follow these keyspaces only; keys of others are `unknown` here. Name keyswarm too: in it live the management keys of who asks this node.',
      expected: 'names or ids of keyspaces, separated by commas',
      pattern: keyspaceList,
      byDefault: null,
    }),
    host: text({
      about: 'The address to listen on.',
      expected: 'an IP address or a host name',
      pattern: '^[0-9A-Za-z.:_-]+$',
      byDefault: '127.0.0.1',
    }),
    port: whole(0, 65_535, { about: 'The port to listen on; 0 takes a free one.', byDefault: 7071 }),
    behindTls: yesOrNo({
      about: 'Something in front of this node ends TLS: a proxy, an ingress, a mesh.',
      byDefault: false,
    }),
    forwardAuth: optionalText({
      about: 'Keyspaces that /v1/forward-auth may be asked about, by proxies, without a management key.',
      expected: 'names or ids of keyspaces, separated by commas',
      pattern: keyspaceList,
      byDefault: null,
    }),
    serveFeed: yesOrNo({
      about: 'Serve the feed to other verifiers: this node is the relay of its region.',
      byDefault: false,
    }),
    fallbackKeyspaces: optionalText({
      about:
        'Keyspaces about whose keys the first relay is asked while they are stale here; its credential then needs keys:verify for them.',
      expected: 'names of keyspaces, separated by commas',
      pattern: keyspaceList,
      byDefault: null,
    }),
    snapshotPath: optionalText({
      about:
        'A file in which it keeps what it knows, so that a restart loads from disk what has not changed.',
      expected: 'a file that this process may write',
      byDefault: null,
    }),
    ...logSettings,
    ...telemetrySettings,
    ...requestSettings,
    verificationsInFlightMax: whole(1, 100_000, {
      about: 'Of those, verifications, and what proxies ask.',
      byDefault: 3072,
    }),
    bodyBytesInFlightMax: whole(8_388_608, 8_589_934_592, {
      about: 'Bytes of request bodies that may be held at once.',
      byDefault: 268_435_456,
    }),
    ...connectionSettings,
    drainDelayMs: whole(0, 600_000, {
      about: 'How long it goes on as before once it is told to stop, but no longer ready.',
      byDefault: 0,
    }),
    drainTimeoutMs: whole(0, 600_000, {
      about: 'How long requests under way may take to finish once it is told to stop.',
      byDefault: 20_000,
    }),
  },
  { additionalProperties: false },
);

export type NodeConfig = Readonly<Static<typeof nodeSchema>>;
export type NodeSettingName = keyof NodeConfig;

const settings = nodeSchema.properties as unknown as Readonly<Record<NodeSettingName, SettingSchema>>;

export const nodeSettings: SettingsTable<NodeSettingName> = Object.freeze({
  settings,
  names: Object.keys(settings) as readonly NodeSettingName[],
  defaultFile: 'keyswarm.verifier.json',
  explainedBy: '`keyswarm config explain --verifier`',
  /** The client's own, those of a server, and what Kubernetes injects for a Service named `keyswarm`. */
  foreignVariable:
    /^KEYSWARM_(CONFIG|KEY|URL|SIGN_AS|PROFILE|DATA_DIR|DATABASE_.*|SHARDS|WORKERS|(PREVIOUS_)?MASTER_KEY(_FILE)?|BOOTSTRAP_KEY|REQUIRE_SIGNED_MANAGEMENT|PUBLIC_URL|SIGNING_KEY_ROTATE_DAYS|CONSOLE|WORKFLOWS|WORKFLOW_CONCURRENCY|ENDED_RETENTION_DAYS|WEBHOOK_.*|MUTATIONS_IN_FLIGHT_MAX|NATS_REPLICAS|SERVICE_.*|PORT_[0-9]+_.*|TEST_.*|BENCH_.*|TOKEN_FILE|WORKSPACE)$/,
  flagAliases: { relay: 'relays', nats: 'natsServers', keyspace: 'keyspaces' } as const,
});
