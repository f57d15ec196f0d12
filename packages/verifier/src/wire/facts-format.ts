/*
 * A batch of facts, as the payload of a frame:
 *
 *   u8 format (1) | u32 number of the batch within its snapshot, from 0 | entries
 *
 * An entry begins with its tag. Ids and fingerprints have 16 bytes, a time 6, other numbers are LEB128, a text is its
 * length and its UTF-8, a flag byte holds states (by their places in the lists below) and what else is there:
 *
 *   1 keyspace       id | id of the workspace | flags | revision | lease ms | name | [not-before]
 *   2 owner          id | flags | revision | external id | [not-before]
 *   3 keyspace id    id, where the keyspace itself hasn't been heard of
 *   4 owner id       id, the same
 *   5 scopes         count | texts
 *   7 signing key    its fact as the text of its JSON
 *   6 key            id | flags | revision | keyspace | owner | scopes | [not-before] | [expiry] | versions
 *                    | [traits, as the text of their JSON]
 *     each version   flags | number | fingerprint | minted | [retires]
 *
 * Keyspaces (1, 3), owners (2, 4) and scope sets (5) are counted from 0 in the order in which they come, over the
 * whole snapshot, and a key names them by their number. So a batch means nothing without all those before it, which
 * is why batches are numbered: one that was lost or moved would give keys to owners they don't belong to.
 *
 * A key of one version takes some 54 bytes, 38 of which are id, fingerprint and mint time.
 */

export const factsFormat = 1;

export const tags = {
  keyspace: 1,
  owner: 2,
  keyspaceId: 3,
  ownerId: 4,
  scopes: 5,
  key: 6,
  signingKey: 7,
} as const;

export const thingStates = ['active', 'suspended'] as const;
export const keyStates = ['active', 'suspended', 'revoked'] as const;
export const versionStates = ['active', 'grace', 'retired'] as const;
export const ownerKinds = ['service', 'integration', 'user'] as const;

/** Two bits of each flag byte are a place in a list of at most three; the others say what follows. */
export const placeMask = 3;
export const keyspaceFlags = { notBefore: 4, signature: 8, all: 15 } as const;
export const ownerFlags = { suspended: 4, notBefore: 8, all: 15 } as const;
/** The number of versions takes two bits. */
export const keyFlags = { notBefore: 4, expiry: 8, versionsShift: 4, traits: 64, all: 127 } as const;
export const versionFlags = { retires: 4, all: 7 } as const;
