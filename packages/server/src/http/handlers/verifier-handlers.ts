import { listVerifiers } from '../../relay/list-verifiers.ts';
import type { FeedDoor } from '../feed-door.ts';
import type { HandlerServices, Handlers } from '../handler.ts';

/** Who follows this store, for people who watch. */
export function verifierHandlers({
  ports,
  feed,
}: HandlerServices & { readonly feed: FeedDoor }): Handlers<'listVerifiers'> {
  return {
    listVerifiers: ({ caller }) =>
      listVerifiers({ ...feed.options, leases: ports.leases, clock: ports.clock }, caller.workspaceId),
  };
}
