import {
  signingKeyChanged,
  signingKeyList,
  signingKeyParams,
  signingKeyRevoked,
  signingKeyRotate,
} from '../schemas/signing-keys.ts';
import { operation } from './operation.ts';
import { routes } from './routes.ts';

/* The operations on the keys that tokens are signed with. The first ones are made by the first token. */
export const signingKeyOperations = {
  listSigningKeys: operation(routes.listSigningKeys, {
    summary: 'List signing keys',
    description: 'Of the workspace, the newest last.',
    scope: 'signing_keys:read',
    perKeyspace: false,
    reply: signingKeyList,
    faults: ['store_unavailable'],
  }),
  rotateSigningKeys: operation(routes.rotateSigningKeys, {
    summary: 'Let the next signing key take over',
    description:
      'The key that stands by becomes active, the active one retires, another one is published. Refused with `signing_key_gate` until every cached set of public keys has run out and every verifier knows the key.',
    scope: 'signing_keys:write',
    perKeyspace: false,
    body: signingKeyRotate,
    reply: signingKeyChanged,
    faults: ['not_found', 'signing_key_gate', 'signing_key_state', 'revision_mismatch'],
  }),
  revokeSigningKey: operation(routes.revokeSigningKey, {
    summary: 'Revoke a signing key that has leaked',
    description:
      'Nothing that it signed is accepted any more; the key that stands by takes over at once. Keys that are tokens of it have to be rotated, derived tokens to be asked for again.',
    scope: 'signing_keys:write',
    perKeyspace: false,
    params: signingKeyParams,
    reply: signingKeyRevoked,
    faults: ['signing_key_state', 'revision_mismatch'],
  }),
  removeSigningKey: operation(routes.removeSigningKey, {
    summary: 'Remove a retired signing key',
    description: 'Refused with `signing_key_gate` until the last token that it can have signed has expired.',
    scope: 'signing_keys:write',
    perKeyspace: false,
    params: signingKeyParams,
    reply: signingKeyChanged,
    faults: ['signing_key_gate', 'signing_key_state'],
  }),
};
