import type { Secret } from '@keyswarm/core';
import { BadFeedRow, type FeedStretch, type LeaseAnswer, type RowRange } from '@keyswarm/verifier';
import { decodeLeaseAnswer, encodeLeaseRequest, type LeaseRequest } from '@keyswarm/verifier/lease-messages';
import { headers, type Msg } from '@nats-io/transport-node';
import { answerMsMax, leaseAnswerBytesMax } from './limits.ts';
import type { NatsLink } from './nats-link.ts';
import { stretchOfMessage } from './stretch-payload.ts';
import type { Subjects } from './subjects.ts';

/** No broker, nobody behind it, too late, or a refusal: the other transport is asked. */
export class NatsUnanswered extends Error {
  override readonly name = 'NatsUnanswered';
}

export interface NatsAsker {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  /** Of the verifier, as it is shown to a relay. */
  readonly credential: Secret | undefined;
  /** Those that its table is of, by id or name; absent: all that it may read. */
  readonly keyspaces?: readonly string[] | undefined;
  /**
   * The server that answered last. Asks stay with it while it answers: a server that waits until a change is
   * effective hears at once from the verifiers that ask it, and late from those that ask now here, now there.
   */
  server?: string | undefined;
}

/** The header in which whoever answers says which server it is. */
export const serverHeader = 'Keyswarm-Server';
const serverShape = /^[0-9A-Za-z_-]{1,64}$/;

/** The header that a verifier's credential goes in. */
export const credentialHeader = 'Keyswarm-Credential';

/** The lease, from any server that answers. */
export async function askLease(asker: NatsAsker, request: LeaseRequest): Promise<LeaseAnswer> {
  const { subjects, server } = asker;
  asker.server = undefined;
  const subject = server === undefined ? subjects.lease : subjects.leaseOf(server);
  const { data, headers: said } = await ask(asker, subject, encodeLeaseRequest(request));
  if (data.length > leaseAnswerBytesMax) throw new NatsUnanswered('the answer to a lease is too long');
  const json = parsed(data);
  throwProblem(json);
  const answer = decodeLeaseAnswer(json);
  const answerer = said?.get(serverHeader) ?? '';
  if (serverShape.test(answerer)) asker.server = answerer;
  return answer;
}

/** Rows of one shard, as many as one message holds. */
export async function askRows(
  asker: NatsAsker,
  shard: number,
  { after, upTo, limit, view }: RowRange,
): Promise<FeedStretch | 'gone'> {
  const { keyspaces } = asker;
  const question = JSON.stringify({ shard, after, up_to: upTo, limit, view, keyspaces });
  const { data } = await ask(asker, asker.subjects.rows, question);
  // A refusal is short, and a stretch begins with its epoch; only what is short is looked at twice.
  if (data.length < 1024 && throwProblem(parsed(data)) === 'gone') return 'gone';
  const stretch = stretchOfMessage(data);
  if (stretch.shard !== shard || stretch.after !== after || stretch.upTo > upTo)
    throw new NatsUnanswered('rows of another range were answered');
  return stretch;
}

async function ask({ link, credential }: NatsAsker, subject: string, question: string): Promise<Msg> {
  const { connection } = link;
  if (connection === undefined) throw new NatsUnanswered('no broker is connected');
  try {
    const headersOfAsk = headers();
    if (credential !== undefined) headersOfAsk.set(credentialHeader, credential.reveal());
    const options = { timeout: answerMsMax, headers: headersOfAsk };
    return await connection.request(subject, question, options);
  } catch (error) {
    throw new NatsUnanswered(`no answer on ${subject}`, { cause: error });
  }
}

function throwProblem(json: unknown): 'gone' | undefined {
  if (typeof json !== 'object' || json === null || !('problem' in json)) return undefined;
  const { code, shard, seq, detail } = json.problem as Readonly<Record<string, unknown>>;
  if (code === 'gone') return 'gone';
  if (code === 'bad_feed_row' && typeof shard === 'number' && typeof seq === 'number')
    throw new BadFeedRow(shard, seq, typeof detail === 'string' ? detail.slice(0, 200) : 'unreadable');
  throw new NatsUnanswered(`refused: ${typeof code === 'string' ? code.slice(0, 64) : 'unknown'}`);
}

function parsed(data: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(data));
}
