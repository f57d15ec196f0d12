import type { Api } from '../../acceptance/api.ts';
import type { FinalKey } from '../checker/evidence.ts';

/** Every key of these keyspaces, as the API lists them. */
export async function readKeys(api: Api, keyspaces: readonly string[]): Promise<readonly FinalKey[]> {
  const keys: FinalKey[] = [];
  for (const keyspace of keyspaces) {
    let cursor = '';
    for (;;) {
      const reply = await api.call('GET', `/v1/keys?keyspace=${keyspace}&limit=200${cursor}`);
      if (reply.status !== 200)
        throw new Error(`list of ${keyspace}: ${reply.status} ${JSON.stringify(reply.body)}`);
      for (const item of reply.body.items as readonly ListedKey[])
        keys.push({ keyId: item.id, name: item.name, state: item.state, versions: item.versions });
      const next = reply.body.next_cursor;
      if (typeof next !== 'string') break;
      cursor = `&cursor=${encodeURIComponent(next)}`;
    }
  }
  return keys;
}

interface ListedKey {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly versions: readonly { readonly version: number; readonly state: string }[];
}
