import { idFromUuidBytes, type KeyId } from '@keyswarm/core';
import type { Caller } from '../caller.ts';

/** A management key that may do everything and never ends, unless the test says otherwise. */
export function lastingManager(otherwise: Partial<Caller> = {}): Caller {
  return {
    keyId: 'key_01jqz0000000000000000000rt' as KeyId,
    workspaceId: idFromUuidBytes('ws', new Uint8Array(16).fill(7)),
    scopes: ['*'],
    expiresAtMs: null,
    isDerived: false,
    requestId: 'req-1',
    ...otherwise,
  };
}
