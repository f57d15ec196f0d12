import { bufferedBytesMax, bufferedMessagesMax } from './limits.ts';
import type { StretchMessage } from './stretch-payload.ts';

export interface WaitingMessage {
  readonly message: StretchMessage;
  /** How often the stream was offered it. */
  readonly attempts: number;
}

/** What waits for a broker, oldest first. Bounded in messages and bytes: past that the oldest is dropped. */
export class MessageBuffer {
  readonly #bounds: { readonly messagesMax: number; readonly bytesMax: number };
  readonly #waiting: WaitingMessage[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(bounds = { messagesMax: bufferedMessagesMax, bytesMax: bufferedBytesMax }) {
    this.#bounds = bounds;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Counted since the beginning. */
  get dropped(): number {
    return this.#dropped;
  }

  push(waiting: WaitingMessage): void {
    this.#waiting.push(waiting);
    this.#bytes += waiting.message.payload.length;
    const { messagesMax, bytesMax } = this.#bounds;
    while (this.#waiting.length > messagesMax || this.#bytes > bytesMax) {
      if (this.shift() === undefined) return;
      this.#dropped += 1;
    }
  }

  shift(): WaitingMessage | undefined {
    const first = this.#waiting.shift();
    this.#bytes -= first?.message.payload.length ?? 0;
    return first;
  }

  /** One that was taken out could not be sent. */
  drop(): void {
    this.#dropped += 1;
  }
}
