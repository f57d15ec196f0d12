/** One event of a stream: its name, and its data lines joined. */
export interface SentEvent {
  readonly event: string;
  readonly data: string;
}

/** A stream that never ends a line is cut off here: the largest honest frame is some 100 kB. */
export const pendingCharactersMax = 4 * 1024 * 1024;

/**
 * Takes the text of a `text/event-stream` as it comes, in pieces that end anywhere, and gives the events that are
 * whole (WHATWG HTML, section 9.2.6). Of the fields those that are used here: `event` and `data`.
 */
export class EventReader {
  #pending = '';
  #event = '';
  #data: string[] = [];

  *read(piece: string): Generator<SentEvent, void, undefined> {
    this.#pending += piece;
    if (this.#pending.length > pendingCharactersMax) throw new Error('an event without an end');
    const lines = this.#pending.split(/\r\n|\n|\r(?!$)/);
    this.#pending = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') this.#take(line);
      else if (this.#data.length > 0) {
        yield { event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') };
        this.#begin();
      } else this.#begin();
    }
  }

  #begin(): void {
    this.#event = '';
    this.#data = [];
  }

  #take(line: string): void {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
  }
}
