/*
 * Where each operation lives and how it may be repeated: plain data without a schema, so that the SDK can
 * carry it into a browser or an edge worker without carrying the schema library along.
 *
 * `mutates`     it changes something
 * `idempotent`  it takes an Idempotency-Key, so that it may be sent again: one effect a key, the same reply
 *
 * A PATCH takes none: it states what shall be, and `if_revision` says of what. Reads and verifications change
 * nothing and may be repeated freely. No verb stands after a colon in a path: the router would read it as a
 * parameter.
 */

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Parameters as `:id`. */
  readonly path: string;
  /** Of the reply when all went well. */
  readonly status: 200 | 201;
  readonly mutates: boolean;
  readonly idempotent: boolean;
}

const read = <const P extends string>(path: P) =>
  ({ method: 'GET', path, status: 200, mutates: false, idempotent: false }) as const;
const ask = <const P extends string>(path: P) =>
  ({ method: 'POST', path, status: 200, mutates: false, idempotent: false }) as const;
const patch = <const P extends string>(path: P) =>
  ({ method: 'PATCH', path, status: 200, mutates: true, idempotent: false }) as const;
const change = <const P extends string>(path: P) =>
  ({ method: 'POST', path, status: 200, mutates: true, idempotent: true }) as const;
const create = <const P extends string>(path: P) =>
  ({ method: 'POST', path, status: 201, mutates: true, idempotent: true }) as const;

export const routes = Object.freeze({
  createWorkspace: create('/v1/workspaces'),

  createKeyspace: create('/v1/keyspaces'),
  listKeyspaces: read('/v1/keyspaces'),
  getKeyspace: read('/v1/keyspaces/:id'),
  updateKeyspace: patch('/v1/keyspaces/:id'),
  suspendKeyspace: change('/v1/keyspaces/:id/suspend'),
  resumeKeyspace: change('/v1/keyspaces/:id/resume'),
  revokeKeyspaceKeys: change('/v1/keyspaces/:id/revoke-keys'),

  createOwner: create('/v1/owners'),
  listOwners: read('/v1/owners'),
  getOwner: read('/v1/owners/:id'),
  suspendOwner: change('/v1/owners/:id/suspend'),
  resumeOwner: change('/v1/owners/:id/resume'),
  revokeOwnerKeys: change('/v1/owners/:id/revoke-keys'),

  issueKey: create('/v1/keys'),
  issueKeysBulk: change('/v1/keys/bulk'),
  importKeys: change('/v1/keys/import'),
  listKeys: read('/v1/keys'),
  getKey: read('/v1/keys/:id'),
  getRotation: read('/v1/keys/:id/rotation'),
  updateKey: patch('/v1/keys/:id'),
  rotateKey: change('/v1/keys/:id/rotate'),
  finishRotation: change('/v1/keys/:id/finish-rotation'),
  revokeKey: change('/v1/keys/:id/revoke'),
  suspendKey: change('/v1/keys/:id/suspend'),
  resumeKey: change('/v1/keys/:id/resume'),
  verifyKey: ask('/v1/keys/verify'),
  verifyKeysBulk: ask('/v1/keys/verify/bulk'),

  startCampaign: create('/v1/campaigns'),
  listCampaigns: read('/v1/campaigns'),
  getCampaign: read('/v1/campaigns/:id'),
  pauseCampaign: change('/v1/campaigns/:id/pause'),
  resumeCampaign: change('/v1/campaigns/:id/resume'),
  abortCampaign: change('/v1/campaigns/:id/abort'),
  getSelf: read('/v1/keys/self'),
  renewSelf: change('/v1/keys/self/renew'),
  revokeSelf: change('/v1/keys/self/revoke'),
  enrollKey: create('/v1/keys/enroll'),
  createEnrollment: create('/v1/enrollments'),

  requestApproval: create('/v1/approvals'),
  listApprovals: read('/v1/approvals'),
  getApproval: read('/v1/approvals/:id'),
  decideApprovals: change('/v1/approvals/decide'),
  collectApproval: create('/v1/approvals/:id/collect'),
  withdrawApproval: change('/v1/approvals/:id/withdraw'),

  listSigningKeys: read('/v1/signing-keys'),
  rotateSigningKeys: change('/v1/signing-keys/rotate'),
  revokeSigningKey: change('/v1/signing-keys/:id/revoke'),
  removeSigningKey: change('/v1/signing-keys/:id/remove'),

  listEvents: read('/v1/events'),

  createWebhook: create('/v1/webhooks'),
  listWebhooks: read('/v1/webhooks'),
  getWebhook: read('/v1/webhooks/:id'),
  updateWebhook: patch('/v1/webhooks/:id'),
  rotateWebhookSecret: change('/v1/webhooks/:id/rotate-secret'),
  deleteWebhook: change('/v1/webhooks/:id/delete'),

  listDeadLetters: read('/v1/dead-letters'),
  replayDeadLetter: change('/v1/dead-letters/:id/replay'),
  discardDeadLetter: change('/v1/dead-letters/:id/discard'),

  askLease: ask('/v1/feed/lease'),
  getFeedSnapshot: read('/v1/feed/snapshot'),
  getFeedRows: read('/v1/feed/rows'),
  streamFeed: read('/v1/feed/stream'),
  listVerifiers: read('/v1/verifiers'),

  streamLive: read('/v1/live'),
  startDemo: ask('/v1/demo'),

  healthz: read('/healthz'),
  readyz: read('/readyz'),
  metrics: read('/metrics'),
  openapi: read('/openapi.json'),
} satisfies Record<string, Route>);

/**
 * What OAuth clients and readers of tokens ask: forms in, errors as RFC 6749 has them. They stand beside the table, whose
 * rows are JSON with problems. A revocation may be sent again without an Idempotency-Key: it ends what has ended.
 */
export const oauthRoutes = Object.freeze({
  grantToken: ask('/oauth/token'),
  introspectToken: ask('/oauth/introspect'),
  revokeToken: { ...ask('/oauth/revoke'), mutates: true, idempotent: true },
  getJwks: read('/.well-known/jwks.json'),
  getAuthorizationServer: read('/.well-known/oauth-authorization-server'),
  getStatusList: read('/status-lists/:id'),
} satisfies Record<string, Route>);

export type OAuthOperationId = keyof typeof oauthRoutes;
export type Routes = typeof routes;
export type OperationId = keyof Routes;

/** Names of the parameters of a path, as a union. */
export type PathParameter<P extends string> = P extends `${string}:${infer Name}/${infer Rest}`
  ? Name | PathParameter<Rest>
  : P extends `${string}:${infer Name}`
    ? Name
    : never;
