import { createCredential } from '@keyswarm/sdk';
import { type Api, type IssuedKey, inParallel, resultsOf } from '../acceptance/api.ts';

/*
 * The holders of all keys, in one process. Each keeps its newest secret, which the load presents. They are
 * told by the verdicts of their own keys when to renew, and do it by the SDK as a service would: the credential is
 * loaded, hinted at, renewed, stored and closed.
 */

export interface HoldersOptions {
  readonly api: Api;
  readonly url: string;
  readonly keyspace: string;
  readonly keys: readonly IssuedKey[];
  /** Renewals under way at once. */
  readonly atOnce: number;
  /** Told of each new secret, by the key's place, once it is stored. */
  readonly onStored: (at: number, secret: string) => void;
  /** From the instant at which the holder was asked to renew to the new secret stored and in use. */
  readonly onRenewed: (ms: number) => void;
  readonly onProblem: (text: string) => void;
}

export class Holders {
  readonly #secrets: string[];
  readonly #options: HoldersOptions;
  readonly #left: Set<number>;

  constructor(options: HoldersOptions) {
    this.#options = options;
    this.#secrets = options.keys.map(({ secret }) => secret);
    this.#left = new Set(this.#secrets.keys());
  }

  /** Until every key was renewed once. */
  async run(): Promise<void> {
    while (this.#left.size > 0) {
      const asked = await this.#asked();
      await inParallel(asked, this.#options.atOnce, ({ at, askedMs }) => this.#renew(at, askedMs));
      if (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Who is asked to renew by now, as the verdicts say. */
  async #asked(): Promise<readonly { readonly at: number; readonly askedMs: number }[]> {
    const { api, keyspace } = this.#options;
    const found: { at: number; askedMs: number }[] = [];
    const left = [...this.#left];
    for (let from = 0; from < left.length && found.length < 2_000; from += 1_000) {
      const places = left.slice(from, from + 1_000);
      const keys = places.map((at) => ({ key: this.#secrets[at], keyspace }));
      // A look at a thousand keys holds the server for some milliseconds: looked for without a pause it would be the load.
      await new Promise((resolve) => setTimeout(resolve, lookPauseMs));
      const results = resultsOf(await api.call('POST', '/v1/keys/verify/bulk', { keys }));
      for (const [index, at] of places.entries()) {
        const { renew_after: renewAfter } = results[index] as { renew_after?: string };
        const askedMs = renewAfter === undefined ? Number.POSITIVE_INFINITY : Date.parse(renewAfter);
        if (askedMs <= Date.now()) found.push({ at, askedMs });
      }
    }
    return found;
  }

  async #renew(at: number, askedMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const credential = await createCredential({
      baseUrl: this.#options.url,
      load: async () => this.#secrets[at] ?? '',
      store: async (secret) => {
        this.#secrets[at] = secret.reveal();
        this.#options.onStored(at, secret.reveal());
      },
      onChange: () => resolve(true),
      onProblem: ({ kind, error }) => {
        this.#options.onProblem(`${kind}: ${String(error)}`);
        resolve(false);
      },
    });
    credential.hint();
    if (await promise) {
      this.#options.onRenewed(Date.now() - askedMs);
      this.#left.delete(at);
    }
    await credential.close();
  }
}

const lookPauseMs = 100;
