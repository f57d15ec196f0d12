import { Fault, Secret } from '@keyswarm/core';
import { BadFeedRow, type FeedStretch, type RowRange } from '@keyswarm/verifier';
import type { Random } from '@keyswarm/verifier/random';
import type { Timers } from '@keyswarm/verifier/timers';
import { headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { credentialHeader, serverHeader } from './ask-over-nats.ts';
import {
  answerMsMax,
  asksAtOnceMax,
  credentialLengthMax,
  keyspacesAskedMax,
  leaseAskBytesMax,
  rowsAnswerMax,
  textLengthMax,
} from './limits.ts';
import type { NatsLink } from './nats-link.ts';
import { messagesOf } from './stretch-payload.ts';
import { defaultPrefix, subjectsOf } from './subjects.ts';

/*
 * The servers' end of what is asked over NATS. Every server listens in one queue group, and a question goes to one of
 * them; a verifier's next asks for the lease go to the one that answered it. A question
 * carries the credential of its asker, and the service behind decides on it as it would over HTTP.
 *
 * A question is bounded before it is parsed, in time, and in how many are worked on at once; past that it is
 * refused at once, for the asker has another way.
 */

export interface LeaseAsked {
  /** As the body of `POST /v1/feed/lease`, not checked yet. */
  readonly body: unknown;
  /** What the asker showed; undefined: nothing. */
  readonly credential: Secret | undefined;
}

export interface RowsAsked {
  readonly shard: number;
  readonly range: RowRange;
  /** Those that the asker's table is of, by id or name, not checked yet; undefined: all that it may read. */
  readonly keyspaces: readonly string[] | undefined;
  readonly credential: Secret | undefined;
}

export interface FeedService {
  /**
   * The answer as the body of a reply over HTTP, of heads read from the primary after this call. It has to do all
   * that is done there before the answer: check, authenticate, and make the asker known, durably, for those who wait
   * until a change is effective count on that.
   */
  lease(asked: LeaseAsked, signal: AbortSignal): Promise<string>;
  /** Of what the asker may read, and `gone` where that isn't the view of the range. Throws `BadFeedRow` as a `FeedSource` does. */
  rows(asked: RowsAsked, signal: AbortSignal): Promise<FeedStretch | 'gone'>;
}

export interface ServeFeedOptions {
  readonly link: NatsLink;
  readonly timers: Timers;
  readonly random: Random;
  readonly service: FeedService;
  readonly prefix?: string | undefined;
}

export interface ServedFeed {
  /** Since the beginning. */
  readonly stats: { readonly answered: number; readonly refused: number };
  /** Takes no more questions; the link stays. */
  close(): void;
}

export function serveFeedOverNats(options: ServeFeedOptions): ServedFeed {
  return new Responder(options);
}

type Answerer = (
  json: unknown,
  credential: Secret | undefined,
  signal: AbortSignal,
) => Promise<string | Uint8Array>;

class Responder implements ServedFeed {
  readonly #options: ServeFeedOptions;
  readonly #counts = { answered: 0, refused: 0 };
  /** By which askers come back to this process. */
  readonly #id: string;
  readonly #end: () => void;
  #subscriptions: Subscription[] = [];
  #working = 0;

  constructor(options: ServeFeedOptions) {
    this.#options = options;
    this.#id = Buffer.from(options.random.bytes(12)).toString('base64url');
    this.#end = options.link.onConnected((connection, isSame) => {
      if (!isSame) this.#listen(connection);
    });
  }

  get stats() {
    return { ...this.#counts };
  }

  close(): void {
    this.#end();
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe();
  }

  #listen(connection: NatsConnection): void {
    const { service, prefix } = this.#options;
    const subjects = subjectsOf(prefix ?? defaultPrefix);
    const answerLease: Answerer = (body, credential, signal) => service.lease({ body, credential }, signal);
    const on = (subject: string, answer: Answerer, queue?: string) =>
      connection.subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        callback: (error, message) => {
          if (error === null) void this.#answer(message, answer);
        },
      });
    try {
      this.#subscriptions = [
        on(subjects.lease, answerLease, subjects.queue),
        on(subjects.leaseOf(this.#id), answerLease),
        on(
          subjects.rows,
          async (json, credential, signal) => {
            const stretch = await service.rows({ ...rowsAsked(json), credential }, signal);
            if (stretch === 'gone') return problem({ code: 'gone' });
            // The first part of what is too long for one message: the asker comes back for the rest.
            const [message] = messagesOf(stretch);
            return message?.payload ?? emptyStretch(stretch);
          },
          subjects.queue,
        ),
      ];
    } catch {
      // The connection went away in this very moment; the next one calls again.
    }
  }

  async #answer(message: Msg, answer: Answerer): Promise<void> {
    if (this.#working >= asksAtOnceMax || message.data.length > leaseAskBytesMax) {
      this.#counts.refused += 1;
      this.#reply(message, problem({ code: 'overloaded' }));
      return;
    }
    this.#working += 1;
    const overdue = new AbortController();
    const cancel = this.#options.timers.after(answerMsMax, () => overdue.abort(new Error('too late')));
    try {
      this.#reply(message, await answer(JSON.parse(message.string()), credentialIn(message), overdue.signal));
      this.#counts.answered += 1;
    } catch (error) {
      this.#counts.refused += 1;
      this.#reply(message, problemOf(error));
    } finally {
      cancel();
      this.#working -= 1;
    }
  }

  #reply(message: Msg, payload: string | Uint8Array): void {
    try {
      const said = headers();
      said.set(serverHeader, this.#id);
      message.respond(payload, { headers: said });
    } catch {
      // The connection went away meanwhile; the asker has another way.
    }
  }
}

/** Longer than any key string there is: not one. */
function credentialIn(message: Msg): Secret | undefined {
  const text = message.headers?.get(credentialHeader) ?? '';
  return text === '' || text.length > credentialLengthMax ? undefined : new Secret(text);
}

function problemOf(error: unknown): string {
  if (error instanceof BadFeedRow)
    return problem({ code: 'bad_feed_row', shard: error.shard, seq: error.seq, detail: error.reason });
  return problem({ code: error instanceof Fault ? error.code : 'unavailable' });
}

function problem(fields: Readonly<Record<string, string | number>>): string {
  return JSON.stringify({ problem: fields });
}

function emptyStretch({ epoch, shard, after, upTo }: FeedStretch): string {
  return JSON.stringify({ epoch, shard, after, up_to: upTo, rows: [] });
}

function rowsAsked(json: unknown): Omit<RowsAsked, 'credential'> {
  if (typeof json !== 'object' || json === null) throw badQuestion();
  const { shard, after, up_to: upTo, limit, view, keyspaces } = json as Readonly<Record<string, unknown>>;
  if (!isWhole(shard) || !isWhole(after) || !isWhole(upTo) || !isWhole(limit)) throw badQuestion();
  if (!(view === undefined || isText(view))) throw badQuestion();
  if (!(keyspaces === undefined || isTexts(keyspaces))) throw badQuestion();
  return {
    shard,
    range: { after, upTo, limit: Math.min(Math.max(1, limit), rowsAnswerMax), view },
    keyspaces,
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= textLengthMax;
}

function isTexts(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.length >= 1 && value.length <= keyspacesAskedMax && value.every(isText)
  );
}

function badQuestion(): Fault {
  return new Fault('invalid_field', {
    detail: 'Rows are asked for by shard, after, up_to, limit, view and keyspaces.',
  });
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
