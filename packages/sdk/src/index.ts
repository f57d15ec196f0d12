export type { CallInput } from './call/build-request.ts';
export type { CallOptions } from './call/call-operation.ts';
export { type RetryPolicy, retryPolicyDefault } from './call/retry-policy.ts';
export type { Fetch } from './call/send-attempt.ts';
export { type Client, type ClientOptions, createClient, type Workspaces } from './client.ts';
export { type Credential, createCredential } from './credential/credential.ts';
export type {
  CredentialChange,
  CredentialKeeping,
  CredentialOptions,
  CredentialProblem,
  RenewalJournal,
} from './credential/credential-options.ts';
export {
  type ClientFaultCode,
  clientFaults,
  type ErrorCode,
  isKeyswarmError,
  KeyswarmError,
} from './errors/keyswarm-error.ts';
export type { Approvals, ApprovalsQuery } from './groups/approvals.ts';
export type { Campaigns, CampaignsQuery } from './groups/campaigns.ts';
export type {
  EventPage,
  Events,
  EventsQuery,
  StreamOptions,
  StreamQuery,
  TailQuery,
} from './groups/events.ts';
export type { Keys, KeysQuery } from './groups/keys.ts';
export type { Keyspaces, PageQuery } from './groups/keyspaces.ts';
export type { Live } from './groups/live.ts';
export type { Owners, OwnersQuery } from './groups/owners.ts';
export type { Listing, PageOf } from './groups/paging.ts';
export type { Enrollments, Self } from './groups/self.ts';
export type { SigningKeys } from './groups/signing-keys.ts';
export type { StreamedEvent } from './groups/stream-events.ts';
export type { Tokens, TokenWish } from './groups/tokens.ts';
export type { DeadLetters, Webhooks } from './groups/webhooks.ts';
export type { Runtime } from './runtime/runtime.ts';
export { systemRuntime } from './runtime/system-runtime.ts';
export {
  ed25519Signer,
  generateSigningKey,
  macSigner,
  type NewSigningKey,
  type PlatformKey,
  type PrivateJwk,
  type RequestSigner,
} from './signing/request-signer.ts';
export { type RequestToSign, type SignOptions, signRequest } from './signing/sign-request.ts';
export { createSignedFetch, type SignedFetch, type SignedFetchOptions } from './signing/signed-fetch.ts';
