import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { builtinKeyspaceName, Fault, formatSigningKeyId } from '@keyswarm/core';
import {
  claimsContent,
  type Digest,
  fieldsOfRawHeaders,
  isSigned,
  readContentDigest,
} from '@keyswarm/http-signatures';
import { mayBeNews, noContent, type SignedRequest } from '@keyswarm/verifier';
import type { Caller } from '../access/caller.ts';
import { shedRetryAfterMs } from '../limits.ts';
import { type Authenticator, callerOf, type Plea } from './authenticate.ts';

/*
 * Management calls that are signed instead of bearing their key. The signature is looked at on the head of the request,
 * as a bearer is; the digest that it covers is compared when the body has come, before a byte of it is parsed. After
 * that the nonce is used up, so whoever asks again (after a slow body, in the lane) asks for the key that has signed.
 */

/** What the head of a signed request leaves for those who come later. */
export interface SignedHead {
  /** Which version of which key has signed. */
  readonly signingKeyId: string;
  /** What the content has to be; undefined: there is none. */
  readonly digests: readonly Digest[] | undefined;
}

export interface SignedCaller {
  readonly caller: Caller;
  readonly head: SignedHead;
}

const requirement = Object.freeze({ keyspace: builtinKeyspaceName });

/** The request as its client signed it; undefined: it is not signed. */
export function signedRequestOf(
  raw: Pick<IncomingMessage, 'rawHeaders' | 'headers' | 'method' | 'url'>,
  publicUrl: string | null,
): SignedRequest | undefined {
  const fields = fieldsOfRawHeaders(raw.rawHeaders);
  if (!isSigned({ fields })) return undefined;
  const origin = publicUrl ?? `http://${raw.headers.host ?? ''}`;
  return {
    method: raw.method ?? '',
    url: `${origin}${raw.url ?? ''}`,
    fields,
    content: claimsContent({ fields }) ? { kind: 'unread' } : noContent,
  };
}

export function authenticateSigned(
  authenticator: Authenticator,
  plea: Plea,
  request: SignedRequest,
): SignedCaller | Promise<SignedCaller> {
  const { verifier, catchUp } = authenticator;
  const look = () => verifier.verifyRequest(request, requirement);
  const answer = look();
  const isNews = catchUp !== undefined && answer.valid === false && mayBeNews(answer.code, '');
  const finish = (settled: typeof answer): SignedCaller => {
    if (settled.valid === false && settled.code === 'rate_limited') throw tooMany();
    if (settled.valid === false) throw notAccepted(settled.detail ?? settled.code);
    const caller = callerOf(settled, plea, false);
    const version = settled.valid === true ? settled.version : 0;
    return {
      caller,
      head: {
        signingKeyId: formatSigningKeyId(caller.keyId, version),
        digests: request.content.kind === 'none' ? undefined : readContentDigest(request.fields),
      },
    };
  };
  return isNews ? catchUp().then(() => finish(look())) : finish(answer);
}

/** The same question once more, without the signature: its nonce is used up. */
export function authenticateSignerAgain(
  { verifier }: Authenticator,
  plea: Plea,
  { signingKeyId }: SignedHead,
): Caller {
  return callerOf(verifier.verifySigner(signingKeyId, requirement), plea, false);
}

/** Throws unless the body that has come is the one that was signed. */
export function checkSignedBody({ digests }: SignedHead, bytes: Uint8Array): void {
  if (digests === undefined) {
    if (bytes.length > 0) throw notAccepted('there is content, and none was signed');
    return;
  }
  for (const { algorithm, bytes: signed } of digests) {
    if (!timingSafeEqual(hash(algorithm.node, bytes, 'buffer'), signed))
      throw notAccepted('content-digest is not that of the content');
  }
}

/** For a request that bears its key where it would have to be signed. */
export function signatureWanted(): Fault {
  return new Fault('unauthenticated', {
    detail:
      'Management calls have to be signed here, and a management key that is sent along counts for nothing.',
    field: 'Signature',
    expected: 'a signature by RFC 9421, as the SDK and the command make it',
  });
}

/** The words are about the request: whoever may not know of a key learns nothing of it here. */
function notAccepted(why: string): Fault {
  const isOfKey = /^[a-z_]+$/.test(why);
  return new Fault('unauthenticated', {
    detail: isOfKey
      ? 'The signature is not that of a valid management key.'
      : `The signature is not accepted: ${why}.`,
    field: 'Signature',
    expected: 'a signature by RFC 9421 with a valid management key',
  });
}

function tooMany(): Fault {
  return new Fault('rate_limited', {
    detail: 'Too many requests of this key were signed within the last seconds.',
    retryAfterMs: shedRetryAfterMs,
  });
}
