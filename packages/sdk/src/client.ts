import type { BodyOf, Health, OperationId, Readiness, ReplyOf } from '@keyswarm/contract';
import { Secret } from '@keyswarm/core';
import { baseUrlOf, type CallInput, managementKeyOf } from './call/build-request.ts';
import { type CallContext, type CallOptions, callOperation } from './call/call-operation.ts';
import { RetryBudget, type RetryPolicy, retryPolicyDefault } from './call/retry-policy.ts';
import type { Fetch } from './call/send-attempt.ts';
import { type Approvals, approvalsOf } from './groups/approvals.ts';
import { type Campaigns, campaignsOf } from './groups/campaigns.ts';
import { type Events, eventsOf } from './groups/events.ts';
import { type Keys, keysOf } from './groups/keys.ts';
import { type Keyspaces, keyspacesOf } from './groups/keyspaces.ts';
import { type Live, liveOf } from './groups/live.ts';
import { type Owners, ownersOf } from './groups/owners.ts';
import { type Enrollments, enrollmentsOf, type Self, selfOf } from './groups/self.ts';
import { type SigningKeys, signingKeysOf } from './groups/signing-keys.ts';
import { type Tokens, tokensOf } from './groups/tokens.ts';
import { type DeadLetters, deadLettersOf, type Webhooks, webhooksOf } from './groups/webhooks.ts';
import type { Runtime } from './runtime/runtime.ts';
import { systemRuntime } from './runtime/system-runtime.ts';
import { isSigningKeyId, macSigner, type RequestSigner } from './signing/request-signer.ts';

/*
 * The client of the management API, typed from the contract. It runs wherever `fetch` does.
 *
 * What it takes off the caller: a request that changes something carries an Idempotency-Key that stays the same
 * however often it is sent, so that a dropped connection is no reason to wonder whether there are two keys now;
 * what may succeed later is tried again with backoff, full jitter, the server's Retry-After, a deadline and a
 * budget; everything else is thrown as a `KeyswarmError` with the server's own code.
 *
 * What it is not: a verifier. `keys.verify` asks the server over the network each time; a service that verifies
 * every request keeps a resident table of its own.
 */

export interface ClientOptions {
  readonly baseUrl: string;
  /** May be left out where `signer` is given. */
  readonly managementKey?: string | Secret | undefined;
  /** `key_….1`: sign each call as this version, with the secret derived of the management key, which is then not sent. */
  readonly signAs?: string | undefined;
  /** Sign each call with this, such as the private key of a management key that has a public one. */
  readonly signer?: RequestSigner | undefined;
  readonly fetch?: Fetch;
  /** What is left out is as in `retryPolicyDefault`. */
  readonly retry?: Partial<RetryPolicy>;
  /** Of one attempt, its reply's body included; 10 s unless given. */
  readonly timeoutMs?: number;
  /** Time and randomness; those of the platform unless given. */
  readonly runtime?: Runtime;
}

export interface Verifiers {
  /** Who follows the feed, where, how far behind, and whether they may hold a lease. */
  list(options?: CallOptions): Promise<ReplyOf<'listVerifiers'>>;
}

export interface Workspaces {
  create(workspace: BodyOf<'createWorkspace'>, options?: CallOptions): Promise<ReplyOf<'createWorkspace'>>;
}

type JsonOperation = Exclude<
  OperationId,
  'metrics' | 'getFeedSnapshot' | 'getFeedRows' | 'streamFeed' | 'streamLive'
>;

export interface Client {
  readonly keys: Keys;
  readonly keyspaces: Keyspaces;
  readonly owners: Owners;
  readonly campaigns: Campaigns;
  readonly approvals: Approvals;
  readonly events: Events;
  readonly webhooks: Webhooks;
  readonly deadLetters: DeadLetters;
  readonly workspaces: Workspaces;
  readonly enrollments: Enrollments;
  /** What the holder of the client's own key may do by it: the one use of a client without a management key. */
  readonly self: Self;
  readonly signingKeys: SigningKeys;
  readonly tokens: Tokens;
  readonly verifiers: Verifiers;
  /** The flow as it happens, a frame a second. */
  readonly live: Live;
  /** Is the process alive? */
  health(options?: CallOptions): Promise<Health>;
  /** May traffic be sent there? Answers `not_ready` as a value; asks once. */
  ready(options?: CallOptions): Promise<Readiness>;
  /** Any operation of the contract that answers with JSON, by its id. */
  call<Id extends JsonOperation>(
    operationId: Id,
    input: CallInput<Id>,
    options?: CallOptions,
  ): Promise<ReplyOf<Id>>;
}

const timeoutMsDefault = 10_000;

/** There is no key string to keep out of messages; this stands in its place and is never sent. */
const noKeyString = new Secret('[a management key that has no key string]');

function credentialOf({
  managementKey,
  signAs,
  signer,
}: ClientOptions): Pick<CallContext, 'managementKey' | 'signer'> {
  if (signer !== undefined) {
    if (signAs !== undefined) throw new TypeError('give either signAs or signer');
    return { managementKey: noKeyString, signer: async () => signer };
  }
  if (managementKey === undefined) throw new TypeError('managementKey or signer is required');
  const key = managementKeyOf(managementKey);
  if (signAs === undefined) return { managementKey: key };
  if (!isSigningKeyId(signAs))
    throw new TypeError('signAs must be the id of a key, a point and a version: key_….1');
  let made: Promise<RequestSigner> | undefined;
  const derived = () => {
    made ??= macSigner(signAs, key);
    return made;
  };
  return { managementKey: key, signer: derived };
}

export function createClient(options: ClientOptions): Client {
  const policy: RetryPolicy = { ...retryPolicyDefault, ...options.retry };
  const context: CallContext = {
    baseUrl: baseUrlOf(options.baseUrl),
    ...credentialOf(options),
    // Looked up at each call, so that what instruments the global one later is used too.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    runtime: options.runtime ?? systemRuntime,
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
    policy,
    budget: new RetryBudget(policy),
  };
  return Object.freeze({
    keys: keysOf(context),
    keyspaces: keyspacesOf(context),
    owners: ownersOf(context),
    campaigns: campaignsOf(context),
    approvals: approvalsOf(context),
    events: eventsOf(context),
    webhooks: webhooksOf(context),
    deadLetters: deadLettersOf(context),
    enrollments: enrollmentsOf(context),
    self: selfOf(context),
    signingKeys: signingKeysOf(context),
    tokens: tokensOf(context),
    workspaces: {
      create: (body: BodyOf<'createWorkspace'>, callOptions?: CallOptions) =>
        callOperation(context, 'createWorkspace', { body }, callOptions),
    },
    verifiers: {
      list: (callOptions?: CallOptions) => callOperation(context, 'listVerifiers', {}, callOptions),
    },
    live: liveOf(context),
    health: (callOptions?: CallOptions) => callOperation(context, 'healthz', {}, callOptions),
    ready: (callOptions?: CallOptions) =>
      callOperation(context, 'readyz', {}, { attemptsMax: 1, ...callOptions, alsoStatus: 503 }),
    call: <Id extends JsonOperation>(id: Id, input: CallInput<Id>, callOptions?: CallOptions) =>
      callOperation(context, id, input, callOptions),
  });
}
