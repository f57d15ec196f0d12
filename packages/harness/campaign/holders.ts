import { createCredential } from '@keyswarm/sdk';
import type { IssuedKey } from '../acceptance/api.ts';
import { fetchOverAtMost } from './fetch-over-at-most.ts';

/*
 * The holders of all keys, in one process. Each keeps its newest secret, which the load presents. A verdict of its own key
 * tells a holder that it is asked to renew, and it does so by the SDK as a service would: the credential is
 * loaded, hinted at, renewed at a moment drawn within the window, stored and closed.
 */

export interface HoldersOptions {
  readonly url: string;
  readonly keys: readonly IssuedKey[];
  /**
   * Connections; renewals that wait for their moment need none. Enough that none waits for one: its time runs meanwhile, and
   * one that is called off as soon as it has its connection is work for nothing.
   */
  readonly atOnce: number;
  /** Told of each new secret, by the key's place, once it is stored. */
  readonly onStored: (at: number, secret: string) => void;
  /** From the instant at which the holder was asked to renew to the new secret stored and in use. */
  readonly onRenewed: (ms: number) => void;
  /** The credential goes on trying by itself. */
  readonly onProblem: (text: string) => void;
}

export class Holders {
  readonly #secrets: string[];
  readonly #options: HoldersOptions;
  readonly #asked = new Set<number>();
  readonly #fetch: typeof fetch;

  constructor(options: HoldersOptions) {
    this.#options = options;
    this.#secrets = options.keys.map(({ secret }) => secret);
    this.#fetch = fetchOverAtMost(options.atOnce);
  }

  /** Resolves once the key at this place is renewed; at once if its holder was told before. */
  async renew(at: number, renewAfter: string): Promise<void> {
    if (this.#asked.has(at)) return;
    this.#asked.add(at);
    const { promise: changed, resolve } = Promise.withResolvers<void>();
    const credential = await createCredential({
      baseUrl: this.#options.url,
      fetch: this.#fetch,
      load: async () => this.#secrets[at] ?? '',
      store: async (secret) => {
        this.#secrets[at] = secret.reveal();
        this.#options.onStored(at, secret.reveal());
      },
      onChange: () => resolve(),
      onProblem: ({ kind, error }) => this.#options.onProblem(`${kind}: ${String(error)}`),
    });
    credential.hint();
    await changed;
    this.#options.onRenewed(Date.now() - Date.parse(renewAfter));
    // What it still does is to ask about the new one, which is the proof that it was deployed.
    await credential.close();
  }
}
