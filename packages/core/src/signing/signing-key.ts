import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import type { FaultCode } from '../errors/registry.ts';
import type { SigningKeyId, WorkspaceId } from '../ids/ids.ts';
import type { Transition } from '../lifecycle/transitions.ts';
import { timeMsMax } from '../limits/limits.ts';

/*
 * A key with which the authority signs tokens. Its life, as one total table:
 *
 *   published   verifiers and readers of the JWKS learn of it; nothing is signed with it yet
 *   active      new tokens are signed with it
 *   retired     nothing is signed with it any more; what was signed goes on being verified
 *   removed     nothing that it signed is accepted, whoever signed it and whenever
 *
 * Two steps wait for a gate that stands where time and the fleet are known: `activate` until every verifier that may
 * hold a lease knows the key and every cached JWKS has run out, and `remove` until the last token has expired. `revoke`
 * waits for nothing: the private key has leaked, and whoever has it can date a token as he likes, so that no watermark
 * by itself would help. The key goes at once, and with it all that it signed; `notBeforeMs` keeps the instant.
 *
 * `tokensUntilMs` is when the last token expires that may have been signed, raised before such a token is signed.
 */

export const signingAlgorithms = ['ed25519', 'ecdsa-p256-sha256'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export const signingKeyStates = ['published', 'active', 'retired', 'removed'] as const;
export type SigningKeyState = (typeof signingKeyStates)[number];
export type SigningKeyCommand = 'activate' | 'retire' | 'remove' | 'revoke';

export interface SigningKeyRecord {
  readonly id: SigningKeyId;
  readonly workspaceId: WorkspaceId;
  readonly algorithm: SigningAlgorithm;
  /** `iss` of the tokens that it signs: a key is of one issuer. */
  readonly issuer: string;
  /** Raw: 32 bytes for Ed25519, 64 for P-256. */
  readonly publicKey: Uint8Array;
  /** The private key, encrypted under the master key. */
  readonly sealed: Uint8Array;
  readonly state: SigningKeyState;
  /** Tokens dated at or before it are refused; null: none are for that. */
  readonly notBeforeMs: number | null;
  readonly tokensUntilMs: number;
  readonly publishedAtMs: number;
  readonly activatedAtMs: number | null;
  readonly retiredAtMs: number | null;
  readonly removedAtMs: number | null;
  readonly revision: number;
}

const to = (state: SigningKeyState): Transition<SigningKeyState> => ({ to: [state] });
const refused: { readonly refuse: FaultCode } = { refuse: 'signing_key_state' };

export const signingKeyTransitions: Readonly<
  Record<SigningKeyState, Readonly<Record<SigningKeyCommand, Transition<SigningKeyState>>>>
> = {
  published: { activate: to('active'), retire: refused, remove: to('removed'), revoke: to('removed') },
  // Never removed from here: whoever verifies its last tokens would refuse them.
  active: { activate: refused, retire: to('retired'), remove: refused, revoke: to('removed') },
  retired: { activate: refused, retire: refused, remove: to('removed'), revoke: to('removed') },
  removed: { activate: refused, retire: refused, remove: refused, revoke: refused },
};

export function changeSigningKey(
  key: SigningKeyRecord,
  command: SigningKeyCommand,
  nowMs: number,
): SigningKeyRecord {
  const transition = signingKeyTransitions[key.state][command];
  if ('refuse' in transition) {
    throw new Fault(transition.refuse, {
      detail: `The signing key is ${key.state}.`,
      field: 'id',
      expected: expectedStates(command),
    });
  }
  const [state] = transition.to;
  assert(state !== undefined, 'a transition leads to a state');
  const changed = { ...key, state, revision: key.revision + 1 };
  if (command === 'activate') return { ...changed, activatedAtMs: nowMs };
  if (command === 'retire') return { ...changed, retiredAtMs: nowMs };
  const removed = { ...changed, removedAtMs: nowMs };
  return command === 'revoke' ? { ...removed, notBeforeMs: nowMs } : removed;
}

/** Notes that a token may have been signed which expires then. */
export function raiseTokensUntil(key: SigningKeyRecord, untilMs: number): SigningKeyRecord {
  assert(untilMs >= 0 && untilMs <= timeMsMax, 'a token expires within the calendar');
  assert(key.state === 'active', 'only an active key signs');
  if (untilMs <= key.tokensUntilMs) return key;
  return { ...key, tokensUntilMs: untilMs, revision: key.revision + 1 };
}

function expectedStates(command: SigningKeyCommand): string {
  const admitted = signingKeyStates.filter((state) => 'to' in signingKeyTransitions[state][command]);
  return `a signing key that is ${admitted.join(' or ')}`;
}
