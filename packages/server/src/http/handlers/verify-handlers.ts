import {
  answerItemView,
  answerView,
  badSeq,
  type KeyVerify,
  parseSeq,
  refusedItemView,
  type VerdictView,
} from '@keyswarm/contract';
import { type Answer, Fault } from '@keyswarm/core';
import type { VerifyPorts } from '../../access/use-case-ports.ts';
import { describedRequestOf } from '../../keys/described-request.ts';
import { type VerifyWish, verifyOneKey } from '../../keys/verify-keys.ts';
import { staleRetryAfterMs } from '../../limits.ts';
import type { ServerMetrics } from '../../metrics/server-metrics.ts';
import type { Handlers } from '../handler.ts';

export interface VerifyServices {
  readonly ports: VerifyPorts;
  readonly metrics: Pick<ServerMetrics, 'verdict'>;
}

/** Verification, one and many. No promise is made where none is needed: this is the hot path. */
export function verifyHandlers({ ports, metrics }: VerifyServices): Handlers<'verifyKey' | 'verifyKeysBulk'> {
  const counted = (answer: Answer): VerdictView => {
    metrics.verdict(answer.code);
    return answerView(answer, staleRetryAfterMs);
  };
  const countedItem = (answer: Answer) => {
    metrics.verdict(answer.code);
    return answerItemView(answer);
  };
  return {
    verifyKey({ body, caller }) {
      const answer = verifyOneKey(ports, caller, wishOf(body, ports.shards));
      return answer instanceof Promise ? answer.then(counted) : counted(answer);
    },

    async verifyKeysBulk({ body, caller }) {
      const results = body.keys.map((item) => {
        try {
          const answer = verifyOneKey(ports, caller, wishOf(item, ports.shards));
          return answer instanceof Promise ? answer.then(countedItem, refusedItem) : countedItem(answer);
        } catch (error) {
          return refusedItem(error);
        }
      });
      return { results: await Promise.all(results) };
    },
  };
}

function wishOf({ key, request, keyspace, scopes, min_seq: text }: KeyVerify, shards: number): VerifyWish {
  if ((key === undefined) === (request === undefined)) throw oneOfTwo(key === undefined);
  const presented = key ?? describedRequestOf(request);
  if (text === undefined) return { presented, keyspace, scopes };
  const minSeq = parseSeq(text, '/min_seq');
  if (minSeq.shard >= shards) throw badSeq('/min_seq');
  return { presented, keyspace, scopes, minSeq };
}

function oneOfTwo(isNone: boolean): Fault {
  return new Fault(isNone ? 'missing_field' : 'invalid_field', {
    detail: isNone ? 'There is nothing to verify.' : 'There are two things to verify.',
    field: isNone ? '/key' : '/request',
    expected: 'either key or request',
  });
}

/**
 * A keyspace that the caller may not verify in is that item's result, and so is news that did not come in time: a
 * forged key among a thousand must not keep the others from the verdicts that are known.
 */
function refusedItem(error: unknown) {
  if (error instanceof Fault && (!error.retryable || error.code === 'stale')) return refusedItemView(error);
  throw error;
}
