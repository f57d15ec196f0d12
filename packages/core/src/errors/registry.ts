/** What every surface needs to know of a fault: one row a code, and nothing below it branches on names. */
export interface FaultRow {
  /** HTTP status (RFC 9110). */
  readonly status: number;
  /** May the same request succeed later, unchanged? SDK and CLI retry only these. */
  readonly retryable: boolean;
  /** RFC 9457 `title`: the same for every occurrence. */
  readonly title: string;
  /** Exit code of the CLI. */
  readonly exit: number;
}

const row = (status: number, exit: number, title: string, retryable = false): FaultRow =>
  Object.freeze({ status, exit, title, retryable });

/*
 * Exit codes: 2 usage and input, 3 not found, 4 not allowed, 5 conflict with the present state, 6 try again
 * later, 7 fault of the server.
 */
export const faultRegistry = Object.freeze({
  invalid_json: row(400, 2, 'The body is not valid JSON'),
  invalid_field: row(400, 2, 'A field has a value that is not accepted'),
  missing_field: row(400, 2, 'A required field is missing'),
  unknown_field: row(400, 2, 'A field is not known'),
  secret_in_url: row(400, 2, 'A key string stood in the URL'),
  unsupported_media_type: row(415, 2, 'The body must be application/json'),
  payload_too_large: row(413, 2, 'The body is larger than accepted'),
  unauthenticated: row(401, 4, 'A valid key is required'),
  forbidden: row(403, 4, 'The management key lacks a scope'),
  scope_escalation: row(403, 4, 'The management key can not grant more than it holds'),
  not_found: row(404, 3, 'There is no such thing'),
  verifier_only: row(421, 2, 'This is a verifier, which manages nothing'),
  method_not_allowed: row(405, 2, 'The method is not supported here'),
  gone: row(410, 5, 'The feed no longer reaches back so far'),
  bad_feed_row: row(422, 7, 'A row of the feed can not be read'),
  name_taken: row(409, 5, 'The name is taken'),
  already_imported: row(409, 5, 'This key is already known'),
  already_revoked: row(409, 5, 'The key is already revoked'),
  already_suspended: row(409, 5, 'It is already suspended'),
  not_suspended: row(409, 5, 'It is not suspended'),
  key_revoked: row(409, 5, 'The key is revoked'),
  key_suspended: row(409, 5, 'The key is suspended'),
  key_expired: row(409, 5, 'The key is expired'),
  rotation_in_progress: row(409, 5, 'A rotation is under way'),
  not_replayable: row(409, 5, 'This dead letter can not be replayed'),
  campaign_overlap: row(409, 5, 'Another campaign is at work on some of these keys'),
  campaign_ended: row(409, 5, 'The campaign has ended'),
  already_paused: row(409, 5, 'The campaign is paused already'),
  not_paused: row(409, 5, 'The campaign is not paused'),
  confirm_required: row(409, 5, 'It would take every key there is, and was not confirmed'),
  nothing_selected: row(422, 2, 'The selector matches no key'),
  not_rotating: row(409, 5, 'No rotation is under way'),
  version_in_use: row(409, 5, 'The old version is still in use'),
  signing_key_state: row(409, 5, 'The signing key is in another state'),
  signing_key_gate: row(
    409,
    5,
    'Not everybody who verifies knows this signing key yet, or its tokens still live',
  ),
  renew_too_early: row(409, 6, 'The key can not be renewed yet', true),
  version_superseded: row(409, 5, 'A newer version of the key is in use'),
  not_an_enrollment_key: row(403, 4, 'The key can not be exchanged for another'),
  enrollment_used_up: row(409, 5, 'The enrollment key has been exchanged as often as it may be'),
  owner_not_allowed: row(422, 2, 'The enrollment key does not allow this owner'),
  new_version_unused: row(409, 5, 'The new version has never been used'),
  use_unproven: row(409, 5, 'A verifier that may have used the old version is not heard of'),
  revision_mismatch: row(412, 5, 'The key has changed since it was read'),
  idempotency_in_progress: row(409, 6, 'A request with this Idempotency-Key is under way', true),
  idempotency_mismatch: row(422, 5, 'The Idempotency-Key was used for another request'),
  invalid_prefix: row(422, 2, 'The prefix is not accepted'),
  invalid_scope: row(422, 2, 'A scope is not well formed'),
  scope_not_allowed: row(422, 2, 'The keyspace does not allow this scope'),
  ttl_too_long: row(422, 2, 'The time to live is over the maximum of the keyspace'),
  grace_too_long: row(422, 2, 'The grace is over the maximum of the keyspace'),
  expiry_in_past: row(422, 2, 'The expiry lies in the past'),
  expiry_conflict: row(422, 2, 'Give either a time to live or an expiry, and let it end after it begins'),
  builtin_protected: row(409, 5, 'The built-in keyspace can not be changed so'),
  approval_required: row(403, 4, 'A second manager has to approve this'),
  approval_not_required: row(409, 5, 'Nobody has to approve this'),
  approval_pending: row(409, 5, 'The request is not decided yet'),
  approval_decided: row(409, 5, 'The request is approved already'),
  approval_closed: row(409, 5, 'The request has come to its end'),
  approvals_full: row(409, 5, 'As many requests as may are waiting in this keyspace'),
  self_approval: row(403, 4, 'A request is decided by somebody else than who made it'),
  rate_limited: row(429, 6, 'Too many requests at once with this key', true),
  overloaded: row(503, 6, 'The server is shedding load', true),
  stale: row(503, 6, 'The verifier can not prove that it is fresh', true),
  store_unavailable: row(503, 6, 'The store can not be reached', true),
  shutting_down: row(503, 6, 'The server is shutting down', true),
  outcome_unknown: row(503, 6, 'The write may or may not have happened', true),
  internal: row(500, 7, 'The server failed'),
} satisfies Record<string, FaultRow>);

export type FaultCode = keyof typeof faultRegistry;
