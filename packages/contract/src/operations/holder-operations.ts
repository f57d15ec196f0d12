import { waitQuery } from '../schemas/effective.ts';
import { enrollmentCreate, enrollmentCreated, keyEnroll } from '../schemas/enrollments.ts';
import { selfRenewed, selfReply, selfRevoke } from '../schemas/holder.ts';
import { keyIssued, keyRevoked } from '../schemas/keys.ts';
import { operation } from './operation.ts';
import { routes } from './routes.ts';

/*
 * What is asked by the key that it is about, of any keyspace, and the making of enrollment keys. Whatever is wrong with
 * a key that is presented, the answer is one and the same `unauthenticated`.
 */
export const holderOperations = {
  getSelf: operation(routes.getSelf, {
    summary: 'Show the key by which this is asked',
    description: 'Answered from memory. For the holder of the key, whichever keyspace it is of.',
    scope: null,
    holder: 'key',
    perKeyspace: false,
    reply: selfReply,
    faults: [],
  }),
  renewSelf: operation(routes.renewSelf, {
    summary: 'Renew the key by which this is asked',
    description:
      'Makes the next version; the one that asks goes on working for its grace. Within the window that `renew_after` opens. A key that was issued with a time to live gets as long again, within what the keyspace allows; one with a fixed end, and a management key, keeps its end. Asked by a version in grace whose successor was never used, that successor gets another secret.',
    scope: null,
    holder: 'key',
    perKeyspace: false,
    reply: selfRenewed,
    faults: ['renew_too_early', 'version_superseded', 'forbidden'],
  }),
  revokeSelf: operation(routes.revokeSelf, {
    summary: 'Revoke the key by which this is asked, for good',
    description:
      'Whoever has the key may end it: also by a version in grace, and while it is suspended. `effective_by` is the instant from which no verifier accepts it.',
    scope: null,
    holder: 'key',
    perKeyspace: false,
    query: waitQuery,
    body: selfRevoke,
    reply: keyRevoked,
    faults: [],
  }),
  enrollKey: operation(routes.enrollKey, {
    summary: 'Exchange an enrollment key for a lasting key',
    description:
      'Asked by the enrollment key. The use is counted in the transaction that makes the key. With an Idempotency-Key, which must be one that nobody else uses, a retry gives the same secret and takes no second use.',
    scope: null,
    holder: 'enrollment',
    perKeyspace: false,
    body: keyEnroll,
    reply: keyIssued,
    faults: [
      'not_an_enrollment_key',
      'enrollment_used_up',
      'owner_not_allowed',
      'invalid_scope',
      'scope_not_allowed',
      'ttl_too_long',
      'approval_required',
    ],
  }),
  createEnrollment: operation(routes.createEnrollment, {
    summary: 'Make an enrollment key',
    description:
      'It can be exchanged for lasting keys of its keyspace, so many times, and opens nothing itself. Revoke, suspend and show it as any key; `parent` of the list of keys finds what was made with it.',
    scope: 'keys:issue',
    perKeyspace: true,
    body: enrollmentCreate,
    reply: enrollmentCreated,
    faults: [
      'not_found',
      'builtin_protected',
      'invalid_scope',
      'scope_not_allowed',
      'ttl_too_long',
      'approval_required',
      'expiry_in_past',
      'expiry_conflict',
    ],
  }),
};
