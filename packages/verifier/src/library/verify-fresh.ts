import type { Answer, FeedPosition } from '@keyswarm/core';
import type { Follower } from '../follow/follower.ts';
import { hasApplied, mayBeNews } from '../verdict/news.ts';
import type { ResidentVerifier } from '../verifier-port.ts';
import type { AuthorityFallback } from './authority-fallback.ts';
import type { AuthorityVerdict, FreshRequirement } from './verifier-api.ts';

export interface FreshPorts {
  readonly resident: ResidentVerifier;
  readonly follower: Follower;
  readonly fallback: AuthorityFallback | undefined;
  /** Called for every round that is waited for. */
  readonly onWait: () => void;
}

export interface Settled {
  readonly answer: Answer | AuthorityVerdict;
  readonly isAuthority: boolean;
}

const stale: Answer = Object.freeze({ valid: null, code: 'stale' });

/** An answer that may be relied on as of this call, as long as anybody can be reached who knows. */
export async function verifyFresh(
  ports: FreshPorts,
  key: string,
  requirement: FreshRequirement,
): Promise<Settled> {
  const position = requirement.minSeq === undefined ? undefined : positionOf(requirement.minSeq);
  const answer = lookFrom(ports, { key, requirement, position });
  if (answer.valid === true || (answer.valid === false && !mayBeNews(answer.code, key)))
    return settled(answer);
  const later = await lookLater(ports, { key, requirement, position });
  if (later.valid !== null) return settled(later);
  const { fallback } = ports;
  const told = fallback?.speaksFor(requirement) === true ? await fallback.ask(key, requirement) : undefined;
  return told === undefined ? settled(later) : { answer: told, isAuthority: true };
}

interface Question {
  readonly key: string;
  readonly requirement: FreshRequirement;
  readonly position: FeedPosition | undefined;
}

async function lookLater(ports: FreshPorts, question: Question): Promise<Answer> {
  // Nobody could be reached a moment ago, and the authority may be asked instead: no two seconds are waited for that.
  const { fallback, follower } = ports;
  const isOut = follower.state.kind === 'unreachable' || follower.state.kind === 'starting';
  if (isOut && fallback?.speaksFor(question.requirement) === true) return stale;
  try {
    ports.onWait();
    await follower.catchUp();
  } catch {
    // What can't be settled is not refused: a key that was issued a moment ago might be meant.
    return stale;
  }
  return lookFrom(ports, question);
}

function lookFrom({ resident }: FreshPorts, { key, requirement, position }: Question): Answer {
  if (position !== undefined && !hasApplied(resident.applied(), position)) return stale;
  const { keyspace, scopes } = requirement;
  return resident.verify(key, { keyspace, scopes });
}

function settled(answer: Answer): Settled {
  return { answer, isAuthority: false };
}

const seqShape = /^(\d{1,15})\.(\d{1,3})\.(\d{1,15})$/;

function positionOf(text: string): FeedPosition {
  const [epoch, shard, seq] = seqShape.exec(text)?.slice(1).map(Number) ?? [];
  if (epoch === undefined || shard === undefined || seq === undefined)
    throw new TypeError('minSeq must be `seq` of the reply to a change, unchanged');
  return { epoch, shard, seq };
}
