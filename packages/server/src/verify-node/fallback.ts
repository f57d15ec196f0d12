import { answerView, type KeyVerify, type VerdictView } from '@keyswarm/contract';
import { type Answer, builtinKeyspaceName, Fault, type WorkspaceId } from '@keyswarm/core';
import type { FreshRequirement, Verifier } from '@keyswarm/verifier';
import { reaches } from '../access/grants.ts';
import type { Call, Handler } from '../http/handler.ts';
import { staleRetryAfterMs } from '../limits.ts';

/*
 * What is stale here may be known at the authority: where the operator allows it, keyspace by keyspace, it is asked
 * about that one key, with the node's own credential (scope keys:verify) and in place of a 503. It is for strict
 * keyspaces behind a feed that is broken while the authority is not: how many are asked about at once is bounded, so an
 * outage does not become a flood there, and whoever comes past the bound gets the 503.
 *
 * A caller has to be known first, and so has what it may ask about. One request is served, not bulk.
 */

export type AskAuthority = (key: string, requirement: FreshRequirement) => Promise<Answer | undefined>;

/** Undefined where no keyspace is named. What it resolves to is a verdict, or undefined: there is none. */
export function askAuthorityOf(
  verifier: Pick<Verifier, 'verifyFresh'>,
  keyspaces: readonly string[] | undefined,
  workspaceId: () => WorkspaceId | undefined,
): AskAuthority | undefined {
  if (keyspaces === undefined) return undefined;
  const allowed = new Set(keyspaces);
  return async (key, requirement) => {
    if (requirement.keyspace === undefined || !allowed.has(requirement.keyspace)) return undefined;
    const answer = await verifier.verifyFresh(key, requirement);
    if (answer.valid === null) return undefined;
    if (answer.valid && answer.keyspace === builtinKeyspaceName) return undefined;
    if (!answer.valid) return { valid: false, code: answer.code };
    // The authority answers for the credential's workspace, which is that of all that is known here.
    const whose = workspaceId();
    return whose === undefined ? undefined : { ...answer, workspaceId: whose };
  };
}

/** The handler, and the authority's answer where its own would be `stale`. */
export function withFallback(
  handler: Handler<'verifyKey'>,
  askAuthority: AskAuthority | undefined,
): Handler<'verifyKey'> {
  if (askAuthority === undefined) return handler;
  return async (call) => {
    try {
      return await handler(call);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'stale') throw error;
      const view = await askFor(call, askAuthority);
      if (view === undefined) throw error;
      return view;
    }
  };
}

/** `stale` may have been said before it was asked whether the caller may ask about this keyspace at all. */
async function askFor(
  { body, caller }: Call<'verifyKey'>,
  askAuthority: AskAuthority,
): Promise<VerdictView | undefined> {
  const { key, keyspace, scopes, min_seq: minSeq }: KeyVerify = body;
  // A signed request is not asked about: its secret, where that is what is missing, is the operator's to give.
  if (key === undefined) return undefined;
  if (keyspace === undefined || !reaches(caller.scopes, 'keys:verify', keyspace)) return undefined;
  const answer = await askAuthority(key, { keyspace, scopes, minSeq });
  return answer === undefined ? undefined : answerView(answer, staleRetryAfterMs);
}
