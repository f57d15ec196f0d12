/** One event of a stream: its name, and its data lines joined; empty where it only tells a place. */
export interface SentEvent {
  readonly event: string;
  readonly data: string;
  /** The place behind it, where it says so. */
  readonly id?: string;
}

/** A stream that never ends an event is cut off here: the largest honest frame is some 100 kB. */
export const pendingCharactersMax = 4 * 1024 * 1024;

/**
 * Takes the text of a `text/event-stream` as it comes, in pieces that end anywhere, and gives the events that are
 * whole (WHATWG HTML, section 9.2.6). Of the fields those that are used here: `event`, `data` and
 * `id`; what a server of another version adds is passed over, as the format asks.
 */
export class EventReader {
  #pending = '';
  #event = '';
  #id: string | undefined;
  #data: string[] = [];
  /** Characters of the event that has begun. */
  #length = 0;
  readonly #lengthMax: number;

  constructor(lengthMax = pendingCharactersMax) {
    this.#lengthMax = lengthMax;
  }

  *read(piece: string): Generator<SentEvent, void, undefined> {
    this.#pending += piece;
    const lines = this.#pending.split(/\r\n|\n|\r(?!$)/);
    this.#pending = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') this.#take(line);
      else {
        const sent = this.#whole();
        this.#begin();
        if (sent !== undefined) yield sent;
      }
    }
    if (this.#length + this.#pending.length > this.#lengthMax) throw new Error('an event without an end');
  }

  #whole(): SentEvent | undefined {
    if (this.#data.length === 0 && this.#id === undefined) return undefined;
    const id = this.#id === undefined ? {} : { id: this.#id };
    return { event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n'), ...id };
  }

  #begin(): void {
    this.#event = '';
    this.#id = undefined;
    this.#data = [];
    this.#length = 0;
  }

  #take(line: string): void {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    this.#length += line.length;
    if (field === 'event') this.#event = value;
    else if (field === 'id') this.#id = value;
    else if (field === 'data') this.#data.push(value);
  }
}
