import { Fault, type KeyId, type KeyTraits, noTraits } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { issuersFollowedMax } from '../limits.ts';

/**
 * Who issued this management key, who issued that one, and so on: whoever may make managers could else make one to
 * approve what it has asked for itself. So could whoever rotates the key of one that is there, for the secret is then
 * theirs as well: who was handed a secret counts as who issued it. Both are in a key's record before anybody can act by
 * that secret, so they can be read before the write is queued. The first key of a workspace was issued by nobody.
 */
export async function issuersOf(ports: UseCasePorts, caller: Caller): Promise<readonly KeyId[]> {
  const issuers = new Set<KeyId>();
  const waiting = [caller.keyId];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const traits = (await ports.reader.key(caller.workspaceId, id))?.traits ?? noTraits;
    for (const issuer of originOf(traits)) {
      if (issuers.has(issuer)) continue;
      issuers.add(issuer);
      // Not passed over in silence: a line that is long enough to lose its beginning would be a way round the rule.
      if (issuers.size >= issuersFollowedMax) throw tooLong();
      waiting.push(issuer);
    }
  }
  return [...issuers];
}

function originOf({ issuedBy, handedTo = [] }: KeyTraits): readonly KeyId[] {
  const takers = handedTo.map(({ keyId }) => keyId);
  return issuedBy === undefined ? takers : [issuedBy, ...takers];
}

function tooLong(): Fault {
  return new Fault('self_approval', {
    detail: `More than ${issuersFollowedMax} management keys have issued or rotated one another up to this one.`,
    expected: 'a management key that stands nearer to the first one',
  });
}
