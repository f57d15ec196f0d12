import { Fault, type KeyId } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { issuersFollowedMax } from '../limits.ts';

/**
 * Who issued this management key, who issued that one, and so on: whoever may make managers could else make one to
 * approve what it has asked for itself. It is written into a management key when it is issued and never changes, so it
 * can be read before the write is queued. The first key of a workspace was issued by nobody.
 */
export async function issuersOf(ports: UseCasePorts, caller: Caller): Promise<readonly KeyId[]> {
  const issuers: KeyId[] = [];
  let id: KeyId | undefined = caller.keyId;
  while (id !== undefined) {
    const issuer: KeyId | undefined = (await ports.reader.key(caller.workspaceId, id))?.traits.issuedBy;
    if (issuer === undefined) break;
    issuers.push(issuer);
    // Not passed over in silence: a line that is long enough to lose its beginning would be a way round the rule.
    if (issuers.length >= issuersFollowedMax) throw tooLong();
    id = issuer;
  }
  return issuers;
}

function tooLong(): Fault {
  return new Fault('self_approval', {
    detail: `More than ${issuersFollowedMax} management keys were issued one by the other up to this one.`,
    expected: 'a management key that stands nearer to the first one',
  });
}
