import { type Answer, builtinKeyspaceName, covers, Fault, parseId } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { reachesEverywhere, requireAnywhere, requireIn } from '../access/grants.ts';
import { keyspaceNotFound } from '../access/missing.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';

/*
 * Verification. For a caller that may verify in every keyspace, and for one that names a keyspace it may verify
 * in, this is one look into the resident table: no I/O and no promise. Only a caller whose scope is bound to some
 * keyspaces and who names one by its id has that id looked up, once.
 */

export interface VerifyWish {
  readonly key: string;
  /** Id or name of the keyspace that the access point requires. */
  readonly keyspace?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
}

const unknown: Answer = Object.freeze({ valid: false, code: 'unknown' });

export function verifyOneKey(
  ports: UseCasePorts,
  caller: Caller,
  wish: VerifyWish,
): Answer | Promise<Answer> {
  if (reachesEverywhere(caller.scopes, 'keys:verify')) return ask(ports, caller, wish);
  const { keyspace } = wish;
  if (keyspace === undefined || parseId('ks', keyspace) !== undefined) {
    // Bare `keys:verify` leaves out the built-in keyspace: to such a caller its keys do not exist.
    if (covers(caller.scopes, 'keys:verify')) return hideBuiltin(ask(ports, caller, wish));
    requireAnywhere(caller, 'keys:verify');
    if (keyspace === undefined) throw keyspaceRequired();
    return verifyInKeyspaceById(ports, caller, { ...wish, keyspace });
  }
  requireAnywhere(caller, 'keys:verify');
  requireIn(caller, 'keys:verify', keyspace, missingKeyspace);
  return ask(ports, caller, wish);
}

function ask(
  { verifier }: UseCasePorts,
  { workspaceId }: Caller,
  { key, keyspace, scopes }: VerifyWish,
): Answer {
  return verifier.verify(key, { workspaceId, keyspace, scopes });
}

async function verifyInKeyspaceById(
  ports: UseCasePorts,
  caller: Caller,
  wish: VerifyWish & { readonly keyspace: string },
): Promise<Answer> {
  const found = await ports.keyspaces.find(caller.workspaceId, wish.keyspace);
  if (found === undefined) throw missingKeyspace();
  requireIn(caller, 'keys:verify', found.name, missingKeyspace);
  return ask(ports, caller, wish);
}

function hideBuiltin(answer: Answer): Answer {
  return answer.valid === true && answer.keyspace === builtinKeyspaceName ? unknown : answer;
}

function missingKeyspace(): Fault {
  return keyspaceNotFound('/keyspace');
}

function keyspaceRequired(): Fault {
  return new Fault('forbidden', {
    detail: 'Your management key may verify only in some keyspaces: name one of them.',
    field: '/keyspace',
    expected: 'keys:verify',
  });
}
