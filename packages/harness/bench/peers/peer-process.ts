import { type ChildProcess, fork } from 'node:child_process';

/** A process that is measured, or measures itself: it says once that it is ready, then answers one message at a time. */
export class PeerProcess<Ready> {
  readonly #child: ChildProcess;
  readonly ready: Ready;

  private constructor(child: ChildProcess, ready: Ready) {
    this.#child = child;
    this.ready = ready;
  }

  /** `told`: what it has to know before it can begin; nothing for those that need nothing. */
  static async start<Ready>(script: URL, told?: object): Promise<PeerProcess<Ready>> {
    const child = fork(script, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production', OTEL_SDK_DISABLED: 'true' },
    });
    const ready = answerOf<Ready>(child);
    if (told !== undefined) child.send(told);
    return new PeerProcess(child, await ready);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Work done a second. */
  async measure(order: object): Promise<number> {
    const answer = answerOf<{ readonly perSecond: number }>(this.#child);
    this.#child.send(order);
    return (await answer).perSecond;
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const onMessage = (message: T & { readonly error?: string }): void => {
      settle();
      if (message.error === undefined) resolve(message);
      else reject(new Error(message.error));
    };
    const onExit = (code: number | null): void => {
      settle();
      reject(new Error(`${child.spawnargs[1] ?? 'a peer'} ended with ${code}`));
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
