import { effectiveByMs, Fault, faultRegistry, hexOf, parseId, uuidHexOf } from '@keyswarm/core';
import { IdempotencyScope } from '@keyswarm/server/rooms/signing/idempotency';
import { fingerprintOf } from '@keyswarm/verifier';
import type { SometimesCounts } from '../check/sometimes.ts';
import type { Truth } from '../check/truth.ts';
import { Violation } from '../check/violation.ts';
import type { SeededRandom } from '../kernel/seeded-random.ts';
import type { Trace } from '../kernel/trace.ts';
import { Unreachable } from '../net/network.ts';
import type { AuthorityService } from '../nodes/authority.ts';
import { type Cluster, messageOf } from '../nodes/cluster.ts';
import type { Seat } from '../nodes/seat.ts';
import type { KeyBook } from './key-book.ts';
import type { Outcome, SimRequest } from './requests.ts';

const attemptsMax = 4;
/** How long a client waits for an answer. */
const answerMsMax = 20_000;

export interface ManagerGround {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly truth: Truth;
  readonly book: KeyBook;
  readonly counts: SometimesCounts;
}

/**
 * A client of the management API, as the SDK is one: sends a request to a server, and again to that one or another when no
 * answer comes, by the same Idempotency-Key. What it is told it believes; what it is not told it does not know.
 */
export class Manager {
  readonly #ground: ManagerGround;
  /** Commits that a request may make; one that is not there makes one. */
  readonly commitsMax = new Map<string, number>();
  readonly acked: { readonly id: string; readonly name: string }[] = [];
  /** Of each request, what its first reply handed out. */
  readonly #replies = new Map<string, string>();
  #count = 0;

  constructor(ground: ManagerGround) {
    this.#ground = ground;
  }

  /** The outcome; undefined: refused, or nobody knows. */
  async send(request: SimRequest): Promise<Outcome | undefined> {
    const { random, trace } = this.#ground;
    this.#count += 1;
    const id = `op-${this.#count}`;
    const isRepeatable = random.chance(0.85);
    const tries = isRepeatable && request.isIdempotent === false ? attemptsMax + 2 : 1;
    this.commitsMax.set(id, request.writes * tries);
    trace.add(
      'client',
      `${id} ${request.name} ${JSON.stringify(request.body)}${isRepeatable ? '' : ' once'}`,
    );
    if (isRepeatable && random.chance(0.05)) void this.#try(id, request, true).catch(() => {});
    for (let attempt = 1; attempt <= (isRepeatable ? attemptsMax : 1); attempt += 1) {
      try {
        const outcome = await this.#try(id, request, isRepeatable);
        if (isRepeatable && random.chance(0.05)) void this.#try(id, request, true).catch(() => {});
        return outcome;
      } catch (error) {
        trace.add('client', `${id} hears ${messageOf(error)}`);
        this.#noteRefusal(error);
        if (!isRepeatable && request.writes === 1) this.#checkRefused(id, error);
        if (!isWorthAnother(error)) return undefined;
        await this.#ground.cluster.clients.timers.sleep(random.between(100, 3_000) * attempt);
      }
    }
    return undefined;
  }

  async #try(id: string, request: SimRequest, isRepeatable: boolean): Promise<Outcome> {
    const { cluster, random, trace, book } = this.#ground;
    const server: Seat<AuthorityService> = random.pick(cluster.servers);
    const outcome = await cluster.network.call(
      cluster.clients,
      server,
      (service) => {
        const caller = cluster.callerFor('manager', id);
        const asked = {
          workspaceId: caller.workspaceId,
          callerId: caller.keyId,
          idempotencyKey: id,
          method: 'POST',
          path: `/${request.name}`,
          body: request.body,
        };
        const scope = isRepeatable
          ? new IdempotencyScope(asked, cluster.masterKey, service.ports.random)
          : undefined;
        return request.serve(service.ports, caller, scope);
      },
      { msMax: answerMsMax },
    );
    trace.add('client', `${id} is done`);
    this.#checkReply(id, outcome);
    this.acked.push({ id, name: request.name });
    for (const { key, secret, keyspace } of outcome.handedOut) book.learn(key, keyspace, secret);
    return outcome;
  }

  #checkReply(id: string, outcome: Outcome): void {
    const { counts } = this.#ground;
    const told = outcome.handedOut
      .map(
        ({ key, secret }) => `${key.id} ${secret === undefined ? '' : hexOf(fingerprintOf(secret.reveal()))}`,
      )
      .join();
    const before = this.#replies.get(id);
    if (before !== undefined) counts.note('a retry got its kept reply');
    if (before !== undefined && before !== told)
      throw this.#fail(new Violation('I4', `${id} was answered twice, with two secrets`));
    this.#replies.set(id, told);
    this.#checkDurable(id, outcome);
    this.#checkEffectiveBy(id, outcome);
  }

  /** What was asked once and refused has not happened, and will not. */
  #checkRefused(id: string, error: unknown): void {
    if (!(error instanceof Fault) || error.code === 'outcome_unknown') return;
    if (this.#ground.truth.auditsOfRequest.has(id))
      throw this.#fail(
        new Violation('I4', `${id} was refused with ${error.code}, though it has taken effect`),
      );
    this.commitsMax.set(id, 0);
  }

  #checkDurable(id: string, outcome: Outcome): void {
    const { truth } = this.#ground;
    const audits = truth.auditsOfRequest.get(id) ?? [];
    if (outcome.at !== undefined && audits.length === 0)
      throw this.#fail(new Violation('I2', `${id} was acknowledged, and is not in the store`));
    for (const { key, secret } of outcome.handedOut) {
      if (secret === undefined) continue;
      const print = hexOf(fingerprintOf(secret.reveal()));
      const known = this.#ground.cluster.engine.tables.fingerprints.rows;
      const isThere = [...known.keys()].some((name) => name.endsWith(print));
      if (!isThere)
        throw this.#fail(new Violation('I2', `the secret that ${id} handed out for ${key.id} is not kept`));
    }
  }

  /** What was told is no sooner than what a verifier may go by. */
  #checkEffectiveBy(id: string, outcome: Outcome): void {
    const { truth } = this.#ground;
    const [audit] = truth.auditsOfRequest.get(id) ?? [];
    const keyspaceId = audit?.data.keyspace_id;
    if (outcome.effectiveByMs === undefined || audit === undefined || typeof keyspaceId !== 'string') return;
    const lease = [...truth.keyspaces.entries()]
      .filter(([, history]) => history.between(audit.atMs, audit.atMs).length > 0)
      .map(([, history]) => history.between(audit.atMs, audit.atMs)[0]?.state)
      .find((state) => state !== undefined && sameId(state.id, keyspaceId));
    if (lease === undefined) return;
    const soonestMs = effectiveByMs(Math.floor(audit.atMs + truth.wallAheadMs), lease.lease_seconds * 1000);
    if (outcome.effectiveByMs >= soonestMs - 2) return;
    throw this.#fail(
      new Violation('I1', `${id} promises to be effective ${soonestMs - outcome.effectiveByMs} ms too soon`),
    );
  }

  #noteRefusal(error: unknown): void {
    if (!(error instanceof Fault)) return;
    const { counts } = this.#ground;
    if (error.code === 'version_in_use')
      counts.note('an old version was refused its end because it was in use');
    if (error.code === 'use_unproven')
      counts.note('an old version was refused its end because a verifier was not heard of');
  }

  #fail(violation: Violation): Violation {
    this.#ground.cluster.clients.machine.scheduler.fail(violation);
    return violation;
  }
}

function isWorthAnother(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return error instanceof Fault && faultRegistry[error.code].retryable;
}

function sameId(uuid: string, id: string): boolean {
  return uuidOfKeyspace(id) === uuid;
}

function uuidOfKeyspace(id: string): string | undefined {
  const parsed = parseId('ks', id);
  return parsed === undefined ? undefined : uuidHexOf(parsed);
}
