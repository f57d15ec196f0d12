import type { KeyReply } from '@keyswarm/contract';
import { type Client, isKeyswarmError } from '@keyswarm/sdk';

/** So many names are looked up for one list; a list with more owners than that shows ids for the rest. */
const lookUpsMax = 200;
const callsUnderWay = 8;

/** Whose keys are listed, and of which keyspaces: by name, where the management key may read it, and by id elsewhere. */
export class KeyPlaces {
  readonly #names = new Map<string, string>();
  readonly #client: Client;
  #left = lookUpsMax;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Of a page of keys, before it is shown. */
  async lookUp(keys: readonly KeyReply[]): Promise<void> {
    const { owners, keyspaces } = this.#client;
    await this.#nameAll(
      keys.map((key) => key.keyspace_id),
      async (id) => (await keyspaces.get(id)).name,
    );
    await this.#nameAll(
      keys.map((key) => key.owner_id),
      async (id) => {
        const { kind, external_id } = await owners.get(id);
        return `${kind}:${external_id}`;
      },
    );
  }

  nameOf(id: string): string {
    return this.#names.get(id) ?? id;
  }

  async #nameAll(ids: readonly string[], ask: (id: string) => Promise<string>): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.#names.has(id)).slice(0, this.#left);
    this.#left -= unknown.length;
    let isRefused = false;
    const underWay = unknown.values();
    const worker = async () => {
      for (const id of underWay) {
        if (isRefused) return;
        try {
          this.#names.set(id, await ask(id));
        } catch (error) {
          // The list itself was answered: a name that may not be read is no reason to keep it back.
          if (!isKeyswarmError(error, 'forbidden') && !isKeyswarmError(error, 'not_found')) throw error;
          isRefused = error.code === 'forbidden';
        }
      }
    };
    await Promise.all(Array.from({ length: callsUnderWay }, worker));
  }
}
