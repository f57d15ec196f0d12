import Type, { type Static } from 'typebox';
import { connectionSettings, logSettings, requestSettings, telemetrySettings } from './door-settings.ts';
import { choice, optionalText, profiles, type SettingSchema, text, whole, yesOrNo } from './setting.ts';
import type { SettingsTable } from './settings-table.ts';

export { fileNameOf, flagOf, variableOf } from './settings-table.ts';
export { profiles };

/** For one server or several; the package that connects reads them more closely. */
export const natsPattern = '^(nats|tls)://[^,\\s/?#]+(,(nats|tls)://[^,\\s/?#]+)*$';
export const natsPrefixPattern = '^[A-Za-z0-9_-]{1,32}(\\.[A-Za-z0-9_-]{1,32}){0,3}$';

/*
 * Every setting of the server, once: its type, its bounds, what it is for, and what it is in each profile.
 * The name in the file (`data_dir`), the variable (`KEYSWARM_DATA_DIR`) and the flag (`--data-dir`) follow from
 * the property's name, so that none of the three can drift. `explainConfig` prints this table, `loadConfig`
 * checks against it.
 *
 * A profile is one choice that sets compatible defaults:
 *   embedded   one process with its own store in `dataDir`: nothing to install.
 *   single     one or a few processes on one PostgreSQL.
 *   cluster    many processes; what is merely tolerated elsewhere is refused here (check-safety.ts).
 */
export const configSchema = Type.Object(
  {
    profile: choice(profiles, {
      about: 'Sets compatible defaults. `single` when a database URL is given, else `embedded`.',
      byDefault: { embedded: 'embedded', single: 'single', cluster: 'cluster' },
    }),
    host: text({
      about: 'The address to listen on.',
      expected: 'an IP address or a host name',
      pattern: '^[0-9A-Za-z.:_-]+$',
      byDefault: '127.0.0.1',
    }),
    port: whole(0, 65_535, { about: 'The port to listen on; 0 takes a free one.', byDefault: 7070 }),
    workers: whole(1, 64, {
      about:
        'Processes that share the port, each a whole server: about one a core. More than one needs a PostgreSQL, and each has its own connections and bounds.',
      byDefault: 1,
    }),
    behindTls: yesOrNo({
      about: 'Something in front of this server ends TLS: a proxy, an ingress, a mesh.',
      byDefault: false,
    }),
    dataDir: text({
      about: 'Where the embedded store and a generated master key live.',
      expected: 'a directory',
      byDefault: '.keyswarm',
    }),
    databaseUrl: optionalText({
      about: 'The PostgreSQL to use, in place of the embedded store.',
      expected: 'postgres://user:password@host:port/database',
      pattern: '^postgres(ql)?://',
      byDefault: null,
      secret: true,
    }),
    databaseConnectionsMax: whole(2, 200, {
      about: 'Connections of this process to PostgreSQL.',
      byDefault: 16,
    }),
    natsServers: optionalText({
      about: 'A NATS broker by which changes reach verifiers sooner, across nodes and regions.',
      expected: 'one or more of nats://host:port or tls://user:password@host:port, separated by commas',
      pattern: natsPattern,
      byDefault: null,
      secret: true,
    }),
    natsCredentialsFile: optionalText({
      about: 'A .creds file by which this server is known to the broker.',
      expected: 'a file',
      byDefault: null,
    }),
    natsPrefix: text({
      about: 'What its subjects on the broker begin with: another one for each Keyswarm on a broker.',
      expected: 'one to four words of A-Z a-z 0-9 _ - with dots between them',
      pattern: natsPrefixPattern,
      byDefault: 'keyswarm',
    }),
    natsReplicas: whole(1, 5, {
      about: 'Copies that the broker keeps of the feed of the last hour; its cluster needs as many nodes.',
      byDefault: { embedded: 1, single: 1, cluster: 3 },
    }),
    natsDomain: optionalText({
      about: 'The JetStream domain of the broker, where this server is connected to a leaf of it.',
      expected: 'a name of A-Z a-z 0-9 _ -',
      pattern: '^[A-Za-z0-9_-]{1,32}$',
      byDefault: null,
    }),
    shards: whole(1, 256, {
      about: 'Shards of a new store: a power of two, fixed when the store is first made.',
      byDefault: { embedded: 4, single: 16, cluster: 16 },
    }),
    masterKey: optionalText({
      about: 'The key under which replies kept for replay are encrypted: 32 bytes.',
      expected: '32 bytes in base64 or 64 hexadecimal digits',
      byDefault: null,
      secret: true,
    }),
    publicUrl: optionalText({
      about:
        'The URL by which others reach this server: the issuer of its tokens, under which they find its public keys, and what the targets of signed management calls begin with. `http://host:port` where only this machine can reach it.',
      expected: 'https://host without a path or a slash at its end',
      pattern: '^https?://[0-9A-Za-z.:[\\]-]+$',
      byDefault: null,
    }),
    signingKeyRotateDays: whole(0, 3_650, {
      about:
        'After how many days the key that signs tokens hands over to the next one by itself; 0: when somebody rotates. Retired keys go by themselves once their last token has expired.',
      byDefault: 90,
    }),
    previousMasterKey: optionalText({
      about:
        'The master key of before, or the next one, while it is being replaced: what is sealed under it is still opened.',
      expected: '32 bytes in base64 or 64 hexadecimal digits',
      byDefault: null,
      secret: true,
    }),
    masterKeyFile: optionalText({
      about: 'A file that holds the master key, in place of the variable.',
      expected: 'a file with 32 bytes in base64 or 64 hexadecimal digits',
      byDefault: null,
    }),
    requireSignedManagement: yesOrNo({
      about:
        'Do management calls have to be signed (RFC 9421)? Verification and the feed go on with their credentials.',
      byDefault: false,
    }),
    bootstrapKey: optionalText({
      about: 'A management key to install instead of a printed random one; only its hash is stored.',
      expected: 'a key as `keyswarm mint-bootstrap-key` makes it, beginning with keyswarm_',
      byDefault: null,
      secret: true,
    }),
    forwardAuth: optionalText({
      about:
        'Keyspaces that /v1/forward-auth may be asked about, by proxies, without a management key; off when absent. By id, since several workspaces may use one name.',
      expected: 'ids of keyspaces (ks_…), separated by commas',
      pattern: '^ks_[0-9A-Za-z]+(,ks_[0-9A-Za-z]+){0,255}$',
      byDefault: null,
    }),
    console: yesOrNo({
      about: 'Does this server show the console at `/`? It holds no key: what it does, it does by the API.',
      byDefault: true,
    }),
    workflows: yesOrNo({
      about:
        'Does this process do jobs: retention, expiry, webhooks, campaigns? All processes share them; one has to.',
      byDefault: true,
    }),
    workflowConcurrency: whole(1, 64, {
      about: 'Jobs of one kind that this process does at once, at the most.',
      byDefault: 4,
    }),
    endedRetentionDays: whole(0, 3_650, {
      about:
        'How long approvals that were decided, campaigns that ended and webhooks that were deleted are kept to be looked at; 0: for ever. Their events are kept as events are.',
      byDefault: 90,
    }),
    webhookHttp: yesOrNo({
      about: 'May webhooks be plain http: anybody on the way can read and forge what is sent. For tests.',
      byDefault: false,
    }),
    webhookAllow: optionalText({
      about: 'Addresses that are not public and that webhooks may be sent to all the same.',
      expected: 'addresses or ranges such as 10.1.0.0/16, separated by commas',
      pattern: '^[0-9A-Fa-f.:/]{2,49}(,[0-9A-Fa-f.:/]{2,49}){0,63}$',
      byDefault: null,
    }),
    ...logSettings,
    ...telemetrySettings,
    ...requestSettings,
    mutationsInFlightMax: whole(1, 100_000, {
      about: 'Of those, requests that change something or read the store.',
      byDefault: 1024,
    }),
    verificationsInFlightMax: whole(1, 100_000, {
      about: 'Of those, verifications: a budget of their own, so that issuance never starves them.',
      byDefault: 3072,
    }),
    bodyBytesInFlightMax: whole(8_388_608, 8_589_934_592, {
      about: 'Bytes of request bodies that may be held at once, by verifications and by all else, each.',
      byDefault: 268_435_456,
    }),
    ...connectionSettings,
    drainDelayMs: whole(0, 600_000, {
      about:
        'How long the server goes on as before once it is told to stop, but no longer ready: a load balancer notices.',
      byDefault: { embedded: 0, single: 0, cluster: 5_000 },
    }),
    drainTimeoutMs: whole(0, 600_000, {
      about: 'How long requests under way may take to finish once the server is told to stop.',
      byDefault: 20_000,
    }),
  },
  { additionalProperties: false },
);

export type ServerConfig = Readonly<Static<typeof configSchema>>;
export type SettingName = keyof ServerConfig;

export const settings = configSchema.properties as unknown as Readonly<Record<SettingName, SettingSchema>>;
export const settingNames = Object.keys(settings) as readonly SettingName[];

/** All that the loader needs to know of them. */
export const serverSettings: SettingsTable<SettingName> = Object.freeze({
  settings,
  names: settingNames,
  defaultFile: 'keyswarm.config.json',
  explainedBy: '`keyswarm config explain`',
  /*
   * The client's own, those of a verify-only node (one file of variables may serve both), and what Kubernetes
   * injects into every pod for a Service named `keyswarm`.
   */
  foreignVariable:
    /^KEYSWARM_(CONFIG|KEY|URL|SIGN_AS|VERIFIER_KEY(_FILE)?|RELAYS|NAME|REGION|KEYSPACES|SNAPSHOT_PATH|SERVE_FEED|FALLBACK_KEYSPACES|SERVICE_.*|PORT_[0-9]+_.*|TEST_.*|BENCH_.*|TOKEN_FILE|WORKSPACE)$/,
  flagAliases: {},
});
