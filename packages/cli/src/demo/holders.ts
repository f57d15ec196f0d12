import type { VerdictView } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { demoFleet } from './demo-limits.ts';

/** One holder of the swarm: what it presents, and what is known of its right to do so. */
export interface Holder {
  readonly id: string;
  secret: string;
  /** When its key was acknowledged as revoked; from then on a refusal is right. */
  revokedAtMs: number | undefined;
  isRenewing: boolean;
}

/**
 * The holders of one run, and what they do by themselves: whoever is told at a verification that its key is to be
 * renewed asks for the next secret by the one it has, and goes on with that.
 */
export class Holders {
  readonly all: Holder[] = [];
  renewed = 0;
  readonly #asHolder: (secret: string) => Client;

  constructor(asHolder: (secret: string) => Client) {
    this.#asHolder = asHolder;
  }

  add(issued: readonly { readonly id: string; readonly secret?: string }[]): void {
    for (const { id, secret } of issued) {
      if (secret !== undefined) this.all.push({ id, secret, revokedAtMs: undefined, isRenewing: false });
    }
  }

  /** Those of the most popular keys. */
  get fleet(): readonly Holder[] {
    return this.all.slice(0, demoFleet);
  }

  heard(holder: Holder, verdict: VerdictView): void {
    if (!verdict.valid || verdict.renew_after === undefined || holder.isRenewing) return;
    if (Date.parse(verdict.renew_after) > Date.now()) return;
    holder.isRenewing = true;
    void this.#renew(holder);
  }

  async #renew(holder: Holder): Promise<void> {
    try {
      const { secret } = await this.#asHolder(holder.secret).self.renew();
      holder.secret = secret;
      this.renewed += 1;
    } catch {
      // Too early, or refused: it is told again at its next verification.
    } finally {
      holder.isRenewing = false;
    }
  }
}
