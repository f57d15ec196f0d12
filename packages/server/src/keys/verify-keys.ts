import { type Answer, builtinKeyspaceName, covers, Fault, type FeedPosition, parseId } from '@keyswarm/core';
import { hasApplied, mayBeNews, type SignedRequest } from '@keyswarm/verifier';
import type { Caller } from '../access/caller.ts';
import { reachesEverywhere, requireAnywhere, requireIn } from '../access/grants.ts';
import { keyspaceNotFound } from '../access/missing.ts';
import type { VerifyPorts } from '../access/use-case-ports.ts';

/*
 * Verification. For a caller that may verify in every keyspace, and for one that names a keyspace it may verify
 * in, a VALID is one look into the resident table: no I/O and no promise.
 *
 * A refusal needs freshness, too: a key that another process issued, resumed or gave a scope a moment ago must not
 * be refused here for want of news. So where other processes write, a refusal that news could lift waits until
 * all that was acknowledged before the request is resident, and is then judged again. Those waits are shared and
 * bounded by the feed, so a flood of forged keys costs a few head reads a second and never a query a key.
 * A string that no key can be (empty, too long) waits for nothing; one of no form of ours does, for it may have been
 * imported.
 *
 * A caller may name a change that the answer must know of (`minSeq`): then an older table waits for news before it says
 * anything, and says `stale` if what came is older still.
 */

/** What was presented: a key string, or a request that is signed. */
export type Presented = string | SignedRequest;

export interface VerifyWish {
  readonly presented: Presented;
  /** Id or name of the keyspace that the access point requires. */
  readonly keyspace?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  /** The answer must know of the change that stands here in the feed. */
  readonly minSeq?: FeedPosition | undefined;
}

const stale: Answer = Object.freeze({ valid: null, code: 'stale' });
const unknown: Answer = Object.freeze({ valid: false, code: 'unknown' });

export function verifyOneKey(ports: VerifyPorts, caller: Caller, wish: VerifyWish): Answer | Promise<Answer> {
  const { minSeq } = wish;
  if (minSeq === undefined || hasApplied(ports.verifier.applied(), minSeq))
    return verifyNow(ports, caller, wish);
  return verifyFrom(ports, caller, { ...wish, minSeq });
}

async function verifyFrom(
  ports: VerifyPorts,
  caller: Caller,
  wish: VerifyWish & { readonly minSeq: FeedPosition },
): Promise<Answer> {
  await ports.catchUp?.();
  return hasApplied(ports.verifier.applied(), wish.minSeq) ? verifyNow(ports, caller, wish) : stale;
}

function verifyNow(ports: VerifyPorts, caller: Caller, wish: VerifyWish): Answer | Promise<Answer> {
  if (reachesEverywhere(caller.scopes, 'keys:verify')) return ask(ports, caller, wish);
  const { keyspace } = wish;
  if (keyspace === undefined || parseId('ks', keyspace) !== undefined) {
    // Bare `keys:verify` leaves out the built-in keyspace: to such a caller its keys do not exist.
    if (covers(caller.scopes, 'keys:verify')) return hideBuiltin(ports, caller, wish);
    requireAnywhere(caller, 'keys:verify');
    if (keyspace === undefined) throw keyspaceRequired();
    return verifyInKeyspaceById(ports, caller, { ...wish, keyspace });
  }
  requireAnywhere(caller, 'keys:verify');
  requireIn(caller, 'keys:verify', keyspace, () => keyspaceNotFound('/keyspace', keyspace));
  return ask(ports, caller, wish);
}

function ask(ports: VerifyPorts, caller: Caller, wish: VerifyWish): Answer | Promise<Answer> {
  const answer = look(ports, caller, wish);
  if (
    ports.catchUp === undefined ||
    answer.valid !== false ||
    !mayBeNews(answer.code, textOf(wish.presented))
  )
    return answer;
  return ports.catchUp().then(() => look(ports, caller, wish));
}

function look(
  { verifier }: VerifyPorts,
  { workspaceId }: Caller,
  { presented, keyspace, scopes }: VerifyWish,
): Answer {
  const requirement = { workspaceId, keyspace, scopes };
  return typeof presented === 'string'
    ? verifier.verify(presented, requirement)
    : verifier.verifyRequest(presented, requirement);
}

/** What is signed is `malformed` for no news. */
function textOf(presented: Presented): string {
  return typeof presented === 'string' ? presented : '';
}

async function verifyInKeyspaceById(
  ports: VerifyPorts,
  caller: Caller,
  wish: VerifyWish & { readonly keyspace: string },
): Promise<Answer> {
  const found = await ports.keyspaces.find(caller.workspaceId, wish.keyspace);
  const missing = () => keyspaceNotFound('/keyspace', wish.keyspace);
  if (found === undefined) throw missing();
  requireIn(caller, 'keys:verify', found.name, missing);
  return ask(ports, caller, wish);
}

/** Whatever the answer would be, also a refusal that says something of the key: asked of the built-in keyspace. */
function hideBuiltin(ports: VerifyPorts, caller: Caller, wish: VerifyWish): Answer | Promise<Answer> {
  const { presented } = wish;
  const hide = (answer: Answer): Answer => {
    if (answer.valid === true) return answer.keyspace === builtinKeyspaceName ? unknown : answer;
    if (answer.valid === null || answer.code === 'malformed' || answer.code === 'unknown') return answer;
    // Asked of a signed request again, a nonce that is accepted would be used up; whose key it is needs no signature.
    if (typeof presented !== 'string')
      return ports.verifier.isSignedIn(presented, builtinKeyspaceName) ? unknown : answer;
    const { code } = look(ports, caller, { presented, keyspace: builtinKeyspaceName });
    return code === 'wrong_keyspace' ? answer : unknown;
  };
  const answer = ask(ports, caller, wish);
  return answer instanceof Promise ? answer.then(hide) : hide(answer);
}

function keyspaceRequired(): Fault {
  return new Fault('forbidden', {
    detail: 'Your management key may verify only in some keyspaces: name one of them.',
    field: '/keyspace',
    expected: 'keys:verify',
  });
}
