import type { Secret } from '@keyswarm/core';
import { BadFeedRow, type FeedStretch, type LeaseAnswer, type RowRange } from '@keyswarm/verifier';
import { decodeLeaseAnswer, encodeLeaseRequest, type LeaseRequest } from '@keyswarm/verifier/lease-messages';
import { headers } from '@nats-io/transport-node';
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
}

/** The header that a verifier's credential goes in. */
export const credentialHeader = 'Keyswarm-Credential';

/** The lease, from any server that answers. */
export async function askLease(asker: NatsAsker, request: LeaseRequest): Promise<LeaseAnswer> {
  const data = await ask(asker, asker.subjects.lease, encodeLeaseRequest(request));
  if (data.length > leaseAnswerBytesMax) throw new NatsUnanswered('the answer to a lease is too long');
  const json = parsed(data);
  throwProblem(json);
  return decodeLeaseAnswer(json);
}

/** Rows of one shard, as many as one message holds: of every workspace and keyspace. */
export async function askRows(
  asker: NatsAsker,
  shard: number,
  { after, upTo, limit }: RowRange,
): Promise<FeedStretch | 'gone'> {
  const question = JSON.stringify({ shard, after, up_to: upTo, limit });
  const data = await ask(asker, asker.subjects.rows, question);
  // A refusal is short, and a stretch begins with its epoch; only what is short is looked at twice.
  if (data.length < 1024 && throwProblem(parsed(data)) === 'gone') return 'gone';
  const stretch = stretchOfMessage(data);
  if (stretch.shard !== shard || stretch.after !== after || stretch.upTo > upTo)
    throw new NatsUnanswered('rows of another range were answered');
  return stretch;
}

async function ask({ link, credential }: NatsAsker, subject: string, question: string): Promise<Uint8Array> {
  const { connection } = link;
  if (connection === undefined) throw new NatsUnanswered('no broker is connected');
  try {
    const headersOfAsk = headers();
    if (credential !== undefined) headersOfAsk.set(credentialHeader, credential.reveal());
    const options = { timeout: answerMsMax, headers: headersOfAsk };
    const { data } = await connection.request(subject, question, options);
    return data;
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
