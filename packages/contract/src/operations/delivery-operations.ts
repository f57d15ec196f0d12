import {
  deadLetterDiscarded,
  deadLetterList,
  deadLetterParams,
  deadLetterReplayed,
} from '../schemas/dead-letters.ts';
import { pageQuery } from '../schemas/keyspaces.ts';
import {
  webhookChanged,
  webhookCreate,
  webhookCreated,
  webhookDeleted,
  webhookList,
  webhookParams,
  webhookReply,
  webhookRotate,
  webhookUpdate,
} from '../schemas/webhooks.ts';
import { operation } from './operation.ts';
import { routes } from './routes.ts';

/* The operations on events that go out, and on what was given up. */
export const deliveryOperations = {
  createWebhook: operation(routes.createWebhook, {
    summary: 'Create a webhook',
    description:
      'Every event from now on is sent there, signed after Standard Webhooks, at least once and in order for each key. Needs `events:read` as well. The secret is in the reply and nowhere else.',
    scope: 'webhooks:write',
    perKeyspace: false,
    body: webhookCreate,
    reply: webhookCreated,
    faults: ['not_found'],
  }),
  listWebhooks: operation(routes.listWebhooks, {
    summary: 'List webhooks',
    description: 'Ascending by id. A page may be short where many were deleted.',
    scope: 'webhooks:read',
    perKeyspace: false,
    query: pageQuery,
    reply: webhookList,
    faults: ['store_unavailable'],
  }),
  getWebhook: operation(routes.getWebhook, {
    summary: 'Show a webhook',
    description: 'Without its secret.',
    scope: 'webhooks:read',
    perKeyspace: false,
    params: webhookParams,
    reply: webhookReply,
    faults: ['store_unavailable'],
  }),
  updateWebhook: operation(routes.updateWebhook, {
    summary: 'Change a webhook',
    description: 'What waits for another try is tried again at once. `state` disables it, or lets it go on.',
    scope: 'webhooks:write',
    perKeyspace: false,
    params: webhookParams,
    body: webhookUpdate,
    reply: webhookChanged,
    faults: [],
  }),
  rotateWebhookSecret: operation(routes.rotateWebhookSecret, {
    summary: 'Give a webhook a new secret',
    description: 'Until the overlap ends both secrets sign, in one header.',
    scope: 'webhooks:write',
    perKeyspace: false,
    params: webhookParams,
    body: webhookRotate,
    reply: webhookCreated,
    faults: [],
  }),
  deleteWebhook: operation(routes.deleteWebhook, {
    summary: 'Delete a webhook',
    description: 'Nothing further is sent there, and its secrets are wiped.',
    scope: 'webhooks:write',
    perKeyspace: false,
    params: webhookParams,
    reply: webhookDeleted,
    faults: [],
  }),
  listDeadLetters: operation(routes.listDeadLetters, {
    summary: 'List dead letters',
    description: 'Events and jobs that were given up, ascending by id.',
    scope: 'dead_letters:read',
    perKeyspace: false,
    query: pageQuery,
    reply: deadLetterList,
    faults: ['store_unavailable'],
  }),
  replayDeadLetter: operation(routes.replayDeadLetter, {
    summary: 'Replay a dead letter',
    description:
      'The event is sent again, or the job done again. It leaves the list when that has worked. An event that is replayed comes out of order.',
    scope: 'dead_letters:write',
    perKeyspace: false,
    params: deadLetterParams,
    reply: deadLetterReplayed,
    faults: ['not_replayable'],
  }),
  discardDeadLetter: operation(routes.discardDeadLetter, {
    summary: 'Discard a dead letter',
    description: 'It is removed and nothing is done about it.',
    scope: 'dead_letters:write',
    perKeyspace: false,
    params: deadLetterParams,
    reply: deadLetterDiscarded,
    faults: [],
  }),
};
