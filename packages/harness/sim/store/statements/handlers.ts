import type { Statement } from '@keyswarm/server/rooms/storage/store';
import { campaignHandlers } from './campaigns.ts';
import { unnamedHandler } from './days.ts';
import { documentHandlers } from './documents.ts';
import { feedHandlers } from './feed.ts';
import type { Handler, Handlers } from './handler.ts';
import { houseHandlers } from './houses.ts';
import { keyHandlers } from './keys.ts';
import { registryHandlers } from './registry.ts';
import { replyHandlers } from './replies.ts';
import { rotationHandlers } from './rotations.ts';
import { snapshotHandlers } from './snapshot.ts';

const handlers: Handlers = {
  ...campaignHandlers,
  ...documentHandlers,
  ...feedHandlers,
  ...houseHandlers,
  ...keyHandlers,
  ...registryHandlers,
  ...replyHandlers,
  ...rotationHandlers,
  ...snapshotHandlers,
};

/** What does what the statement says. One that is not simulated ends the run: silence would be a guess. */
export function handlerOf(statement: Statement): Handler {
  const handler = statement.name === '' ? unnamedHandler(statement) : handlers[statement.name];
  if (handler !== undefined) return handler;
  throw new NotSimulated(statement);
}

export class NotSimulated extends Error {
  override readonly name = 'NotSimulated';

  constructor({ name, text }: Statement) {
    super(`this statement is not simulated: ${name || text.trim().slice(0, 80)}`);
  }
}
