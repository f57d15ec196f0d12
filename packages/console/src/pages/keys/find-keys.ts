import type { KeyReply } from '@keyswarm/contract';
import { type Client, isKeyswarmError, type PageOf } from '@keyswarm/sdk';

export interface KeyQuestion {
  /** Id of a key or of an owner, or an owner as `service:billing`; empty: any. */
  readonly search: string;
  readonly keyspace: string;
  readonly state: string;
}

interface Paging {
  readonly limit: number;
  readonly cursor?: string;
}

type KeyState = KeyReply['state'];
type OwnerKind = 'service' | 'integration' | 'user';

const nothing: PageOf<KeyReply> = { items: [], next_cursor: null };

export async function findKeys(
  client: Client,
  { search, keyspace, state }: KeyQuestion,
  paging: Paging,
  signal: AbortSignal,
): Promise<PageOf<KeyReply>> {
  const wanted = search.trim();
  if (wanted.startsWith('key_')) return await oneKey(client, wanted, signal);
  const owner = wanted === '' ? undefined : await ownerIdOf(client, wanted, signal);
  if (wanted !== '' && owner === undefined) return nothing;
  return await client.keys
    .list(
      {
        ...paging,
        ...(owner === undefined ? {} : { owner }),
        ...(keyspace === '' ? {} : { keyspace }),
        ...(state === '' ? {} : { state: state as KeyState }),
      },
      { signal },
    )
    .page();
}

async function oneKey(client: Client, id: string, signal: AbortSignal): Promise<PageOf<KeyReply>> {
  try {
    return { items: [await client.keys.get(id, { signal })], next_cursor: null };
  } catch (error) {
    if (isKeyswarmError(error, 'not_found') || isKeyswarmError(error, 'invalid_field')) return nothing;
    throw error;
  }
}

/** An owner by its id, or by kind and external id; a bare word is taken for a service. */
async function ownerIdOf(client: Client, text: string, signal: AbortSignal): Promise<string | undefined> {
  if (/^own_[0-9a-z]{26}$/.test(text)) return text;
  const [, kind = 'service', externalId = text] = /^(service|integration|user):(.+)$/.exec(text) ?? [];
  const found = await client.owners.find({ kind: kind as OwnerKind, external_id: externalId }, { signal });
  return found?.id;
}
