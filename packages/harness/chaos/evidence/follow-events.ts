import type { Api } from '../../acceptance/api.ts';
import type { SeenEvent } from '../checker/evidence.ts';

/*
 * A reader of /v1/events, as a consumer writes one: it asks from its cursor, keeps what came, and asks again. Whatever happens to the
 * servers meanwhile, it goes on from the last cursor that it was given.
 */
export class EventReader {
  readonly #apis: readonly Api[];
  readonly #seen: SeenEvent[] = [];
  readonly #texts: string[] = [];
  #cursor = '';
  #stopped = false;
  #failures = 0;
  #turn = 0;
  #ended: Promise<void> = Promise.resolve();

  /** Asked in turn, when one of them does not answer. */
  constructor(apis: readonly Api[]) {
    this.#apis = apis;
  }

  get seen(): readonly SeenEvent[] {
    return this.#seen;
  }

  /** As they came, to be searched for what must not be there. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** Asks that got no page. */
  get failures(): number {
    return this.#failures;
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Goes on to the end of what there is, and stops there. */
  async finish(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    for (let tries = 0; tries < finishTriesMax; tries += 1) {
      const came = await this.#page();
      if (came === 'end') return;
      if (came === 'nothing') await pause(pauseMs);
    }
    throw new Error('the events could not be read to their end');
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const came = await this.#page();
      if (came !== 'more') await pause(pauseMs);
    }
  }

  async #page(): Promise<'more' | 'end' | 'nothing'> {
    const after = this.#cursor === '' ? '' : `&after=${encodeURIComponent(this.#cursor)}`;
    const api = this.#apis[this.#turn % this.#apis.length];
    const reply = await api?.call('GET', `/v1/events?limit=200${after}`).catch(() => undefined);
    if (reply?.status !== 200) {
      this.#failures += 1;
      this.#turn += 1;
      return 'nothing';
    }
    for (const item of reply.body.items as readonly CloudEvent[]) {
      this.#seen.push(eventOf(item));
      this.#texts.push(JSON.stringify(item));
    }
    const next = String(reply.body.next_cursor);
    const isEnd = next === this.#cursor;
    this.#cursor = next;
    return isEnd ? 'end' : 'more';
  }
}

const pauseMs = 200;
const finishTriesMax = 5_000;

interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
}

function eventOf({ id, type, subject }: CloudEvent): SeenEvent {
  const [epoch, shard, seq] = id.split('-').map(Number);
  if (epoch === undefined || shard === undefined || seq === undefined)
    throw new Error(`the id of an event is ${id}`);
  return { epoch, shard, seq, type: type.replace('dev.keyswarm.', ''), subject };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
