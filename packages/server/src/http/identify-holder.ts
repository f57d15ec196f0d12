import { Fault } from '@keyswarm/core';
import { type FoundKey, mayBeNews } from '@keyswarm/verifier';
import type { Holder } from '../access/holder.ts';
import { keyNotHeld } from '../access/missing.ts';
import { staleRetryAfterMs } from '../limits.ts';
import { type Authenticator, bearerOf } from './authenticate.ts';
import type { HolderOperation } from './handler.ts';

/*
 * The second kind of guard: who asks is who holds the key that is asked about. The resident verifier finds the key and
 * judges it, as for an access point; what differs by operation is only which verdicts are let in. Where a change is
 * decided, the records themselves are judged again (`judgeHolder` in core), so that what is let in here by a verifier
 * that is behind changes nothing.
 *
 * A key that isn't let in gets one answer, whether it is unknown, mistyped, expired, retired or revoked: who guesses
 * learns nothing, and neither does who has found an old key of somebody's.
 */

export interface HolderPlea {
  readonly authorization: string | undefined;
  readonly requestId: string;
  readonly operation: HolderOperation;
}

/** Is it let in? Throws where its holder may know why not; false is refused as a key that isn't known. */
type Admits = (found: FoundKey) => boolean;

/** A key that ended can't be used to end it again, and a retired version is nobody's any more: it may have been found. */
const revocable: ReadonlySet<string> = new Set([
  'valid',
  'suspended',
  'not_yet_valid',
  'insufficient_scope',
  // To have the key string is enough to end what it can derive.
  'signature_required',
]);

const admits: Readonly<Record<HolderOperation, Admits>> = {
  getSelf: isValid,
  renewSelf: isValid,
  revokeSelf: ({ answer }) => revocable.has(answer.code),
  enrollKey: ({ answer, held }) => {
    if (answer.valid === true) throw notForExchange();
    return held?.isEnrollment === true && answer.code === 'insufficient_scope';
  },
};

export function identifyHolder(authenticator: Authenticator, plea: HolderPlea): Holder | Promise<Holder> {
  const token = bearerOf(plea.authorization);
  if (token === undefined) throw keyNotHeld();
  const { verifier, catchUp } = authenticator;
  const found = verifier.find(token);
  const isNews = catchUp !== undefined && found.answer.valid === false && mayBeNews(found.answer.code, token);
  if (!isNews || admits[plea.operation](found)) return holderOf(found, plea);
  return catchUp().then(() => holderOf(verifier.find(token), plea));
}

/** The same question once more, after a body has come or a write has waited for its batch. */
export function identifyHolderAgain({ verifier }: Authenticator, plea: HolderPlea): Holder {
  const token = bearerOf(plea.authorization);
  if (token === undefined) throw keyNotHeld();
  return holderOf(verifier.find(token), plea);
}

function holderOf(found: FoundKey, plea: HolderPlea): Holder {
  const { answer, held } = found;
  if (answer.valid === null) {
    throw new Fault('stale', {
      detail: 'The server can not prove that what it knows of your key is fresh enough.',
      retryAfterMs: staleRetryAfterMs,
    });
  }
  if (held === null || !admits[plea.operation](found)) throw keyNotHeld();
  const verdict = answer.valid ? answer : null;
  const expiresAtMs = verdict?.expiresAtMs ?? null;
  // Of a token that was derived nothing is held.
  return { ...held, verdict, scopes: [], expiresAtMs, isDerived: false, requestId: plea.requestId };
}

function isValid({ answer, held }: FoundKey): boolean {
  if (held?.isEnrollment === true && answer.code === 'insufficient_scope') throw onlyForExchange();
  return answer.valid === true;
}

function notForExchange(): Fault {
  return new Fault('not_an_enrollment_key', {
    detail: 'This is a lasting key: there is nothing to exchange it for.',
    field: 'Authorization',
    expected: 'an enrollment key',
  });
}

function onlyForExchange(): Fault {
  return new Fault('forbidden', {
    detail: 'An enrollment key can be exchanged or revoked by its holder, and nothing else.',
    field: 'Authorization',
    expected: 'the key that it was exchanged for',
  });
}
