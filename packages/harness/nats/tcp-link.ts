import { startTcpProxy, type TcpProxy } from '../faults/index.ts';

/**
 * A link that can fail: a port of this machine that leads to another. `cut` is a cable pulled with a reset on both
 * sides; `silence` is one that nobody notices: sockets stay open, what is written goes nowhere.
 */
export class TcpLink {
  readonly #proxy: TcpProxy;

  static async open(target: number): Promise<TcpLink> {
    return new TcpLink(await startTcpProxy({ port: target }));
  }

  private constructor(proxy: TcpProxy) {
    this.#proxy = proxy;
  }

  get port(): number {
    return this.#proxy.port;
  }

  cut(): void {
    this.#proxy.set({ refuse: true });
    this.#proxy.reset();
  }

  silence(): void {
    this.#proxy.set({ hold: 'both' });
  }

  /** Connections from before are gone; new ones are carried. */
  mend(): void {
    this.#proxy.reset();
    this.#proxy.heal();
  }

  async close(): Promise<void> {
    await this.#proxy.close();
  }
}
