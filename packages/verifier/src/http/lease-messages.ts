import {
  Fault,
  hasControlCharacter,
  isWithinLength,
  type KeyspaceId,
  parseId,
  shardsMax,
  timeMsMax,
} from '@keyswarm/core';
import type { FeedView, Heads, LeaseAnswer, LeaseAsk, WallBounds } from '../feed/feed-source.ts';
import {
  downstreamCountMax,
  downstreamMax,
  feedViewLengthMax,
  keyspacesAskedMax,
  leaseAgeMsMax,
  reachNamedMax,
  usesPerAskMax,
} from '../limits.ts';
import type { Reach } from '../relay/reach.ts';
import type { KeyUse } from '../uses/key-use.ts';
import { BadAnswer } from './relay-errors.ts';

/*
 * The lease, asked for and answered, as JSON (`POST /v1/feed/lease`). Both ends check every member by hand: this
 * comes four times a second from each verifier, and what is wrong in it would be wrong in a proof. The server's end
 * refuses with a `Fault` that names the field; the client's with `BadAnswer`, and the answer is worth nothing.
 */

export const verifierKinds = ['library', 'node', 'relay'] as const;
export type VerifierKind = (typeof verifierKinds)[number];

/** Who asks. Chosen by the asker; the relay shows it to people, and keeps one row an `id`. */
export interface VerifierIdentity {
  /** 1 to 64 of `A-Z a-z 0-9 . _ -`; one running verifier, one id. */
  readonly id: string;
  readonly name: string;
  readonly region?: string | undefined;
  readonly kind: VerifierKind;
}

/** A verifier that follows the asking relay. */
export interface DownstreamVerifier extends VerifierIdentity {
  readonly applied: Heads | undefined;
  readonly leaseAgeMs: number | undefined;
  /** It stands for so many; absent: for itself. */
  readonly count?: number | undefined;
  /** Of which keyspaces it may accept keys; absent: of all. */
  readonly reach?: Reach | undefined;
}

export interface LeaseRequest {
  readonly verifier: VerifierIdentity;
  readonly ask: LeaseAsk;
  /** Ids or names; absent: all that the credential may read. */
  readonly keyspaces?: readonly string[] | undefined;
  readonly downstream: readonly DownstreamVerifier[];
}

export function encodeLeaseRequest({ verifier, ask, keyspaces, downstream }: LeaseRequest): string {
  return JSON.stringify({
    verifier: identityView(verifier),
    applied: ask.applied === undefined ? null : headsView(ask.applied),
    lease_age_ms: ask.leaseAgeMs ?? null,
    fresh: ask.fresh,
    ...(keyspaces === undefined ? {} : { keyspaces }),
    ...(downstream.length === 0 ? {} : { downstream: downstream.map(downstreamView) }),
    ...(ask.uses === undefined ? {} : { uses: ask.uses.map(useView) }),
  });
}

/** @throws {Fault} `invalid_field`, with the JSON pointer of what is wrong. */
export function decodeLeaseRequest(body: unknown): LeaseRequest {
  const fields = objectAt(body, '');
  const { keyspaces, downstream, uses } = fields;
  return {
    verifier: identityAt(fields.verifier, '/verifier'),
    ask: {
      applied: appliedAt(fields.applied, '/applied'),
      leaseAgeMs: ageAt(fields.lease_age_ms, '/lease_age_ms'),
      fresh: fields.fresh === undefined ? false : booleanAt(fields.fresh, '/fresh'),
      ...(uses === undefined ? {} : { uses: usesAt(uses, '/uses') }),
    },
    ...(keyspaces === undefined ? {} : { keyspaces: namesAt(keyspaces, '/keyspaces') }),
    downstream: downstream === undefined ? [] : downstreamAt(downstream, '/downstream'),
  };
}

/** `wall`: between what the authority's wall clock stood as this was answered. */
export function encodeLeaseAnswer(answer: LeaseAnswer, wall: WallBounds): string {
  return JSON.stringify({
    epoch: answer.epoch,
    seqs: answer.seqs,
    age_ms: answer.ageMs,
    from_primary: answer.fromPrimary,
    behind: answer.behind,
    wall: { earliest_ms: wall.earliestMs, latest_ms: wall.latestMs },
    ...(answer.view === undefined ? {} : { view: answer.view }),
    ...(answer.usesTaken === undefined ? {} : { uses_taken: answer.usesTaken }),
  });
}

/** @throws {BadAnswer} for anything that no relay of ours says. */
export function decodeLeaseAnswer(body: unknown): LeaseAnswer {
  const fields = memberOf(body, 'answer');
  const heads = headsIn(fields, 'answer');
  const { age_ms: ageMs, from_primary: fromPrimary, behind, wall } = fields;
  if (!isAge(ageMs)) throw new BadAnswer('answer.age_ms is not an age');
  if (typeof fromPrimary !== 'boolean') throw new BadAnswer('answer.from_primary is not a boolean');
  const shards = heads.seqs.length;
  if (!Array.isArray(behind) || behind.length > shards || !behind.every((shard) => isBelow(shard, shards)))
    throw new BadAnswer('answer.behind does not list shards of this feed');
  return {
    ...heads,
    ageMs,
    fromPrimary,
    behind,
    view: viewIn(fields, 'answer'),
    ...(fields.uses_taken === true ? { usesTaken: true } : {}),
    ...(wall === undefined || wall === null ? {} : { wall: wallIn(wall) }),
  };
}

/** Of an answer or a hello. */
export function viewIn({ view }: Readonly<Record<string, unknown>>, where: string): FeedView {
  if (view === undefined || view === null) return undefined;
  if (typeof view === 'string' && view.length >= 1 && view.length <= feedViewLengthMax) return view;
  throw new BadAnswer(`${where}.view is not the tag of a view`);
}

/** Of an answer, a hello or the end of a snapshot. */
export function headsIn(fields: Readonly<Record<string, unknown>>, where: string): Heads {
  const { epoch, seqs } = fields;
  if (!isWhole(epoch)) throw new BadAnswer(`${where}.epoch is not a whole number`);
  if (!isSeqs(seqs)) throw new BadAnswer(`${where}.seqs is not one number a shard`);
  return { epoch, seqs };
}

export function memberOf(json: unknown, where: string): Readonly<Record<string, unknown>> {
  if (!isObject(json)) throw new BadAnswer(`${where} is not an object`);
  return json;
}

function wallIn(json: unknown): WallBounds {
  const { earliest_ms: earliestMs, latest_ms: latestMs } = memberOf(json, 'answer.wall');
  if (!isTime(earliestMs) || !isTime(latestMs) || earliestMs > latestMs)
    throw new BadAnswer('answer.wall is not two times in order');
  return { earliestMs, latestMs };
}

function identityView({ id, name, region, kind }: VerifierIdentity) {
  return { id, name, ...(region === undefined ? {} : { region }), kind };
}

function downstreamView(verifier: DownstreamVerifier) {
  const { applied, leaseAgeMs, count, reach } = verifier;
  return {
    ...identityView(verifier),
    applied: applied === undefined ? null : headsView(applied),
    lease_age_ms: leaseAgeMs ?? null,
    ...(count === undefined ? {} : { count }),
    ...(reach?.keyspaces === undefined && reach?.without === undefined ? {} : { reach }),
  };
}

function headsView({ epoch, seqs }: Heads) {
  return { epoch, seqs };
}

const idShape = /^[A-Za-z0-9._-]{1,64}$/;
const nameLengthMax = 128;

export function identityAt(json: unknown, at: string): VerifierIdentity {
  const { id, name, region, kind } = objectAt(json, at);
  if (typeof id !== 'string' || !idShape.test(id)) throw refuse(`${at}/id`, '1 to 64 of A-Z a-z 0-9 . _ -');
  if (!isName(name)) throw refuse(`${at}/name`, `text of 1 to ${nameLengthMax} characters`);
  if (region !== undefined && !isName(region))
    throw refuse(`${at}/region`, `text of 1 to ${nameLengthMax} characters`);
  const known = verifierKinds.find((candidate) => candidate === kind);
  if (known === undefined) throw refuse(`${at}/kind`, verifierKinds.join(', '));
  return { id, name, ...(region === undefined ? {} : { region }), kind: known };
}

function downstreamAt(json: unknown, at: string): readonly DownstreamVerifier[] {
  if (!Array.isArray(json) || json.length > downstreamMax)
    throw refuse(at, `a list of at most ${downstreamMax}`);
  return json.map((entry: unknown, index) => {
    const where = `${at}/${index}`;
    const fields = objectAt(entry, where);
    return {
      ...identityAt(fields, where),
      applied: appliedAt(fields.applied, `${where}/applied`),
      leaseAgeMs: ageAt(fields.lease_age_ms, `${where}/lease_age_ms`),
      ...(fields.count === undefined ? {} : { count: countAt(fields.count, `${where}/count`) }),
      ...(fields.reach === undefined ? {} : { reach: reachAt(fields.reach, `${where}/reach`) }),
    };
  });
}

function reachAt(json: unknown, at: string): Reach {
  const { keyspaces, without } = objectAt(json, at);
  return {
    ...(keyspaces === undefined ? {} : { keyspaces: keyspaceIdsAt(keyspaces, `${at}/keyspaces`) }),
    ...(without === undefined ? {} : { without: keyspaceIdsAt(without, `${at}/without`) }),
  };
}

function keyspaceIdsAt(json: unknown, at: string): readonly KeyspaceId[] {
  const refusal = () => refuse(at, `at most ${reachNamedMax} ids of keyspaces`);
  if (!Array.isArray(json) || json.length > reachNamedMax) throw refusal();
  return json.map((entry: unknown) => {
    const id = typeof entry === 'string' ? parseId('ks', entry) : undefined;
    if (id === undefined) throw refusal();
    return id;
  });
}

function appliedAt(json: unknown, at: string): Heads | undefined {
  if (json === null || json === undefined) return undefined;
  const { epoch, seqs } = objectAt(json, at);
  if (!isWhole(epoch)) throw refuse(`${at}/epoch`, 'a whole number');
  if (!isSeqs(seqs)) throw refuse(`${at}/seqs`, 'one whole number a shard');
  return { epoch, seqs };
}

function ageAt(json: unknown, at: string): number | undefined {
  if (json === null || json === undefined) return undefined;
  if (!isAge(json)) throw refuse(at, 'milliseconds, or null');
  return json;
}

function countAt(json: unknown, at: string): number {
  if (!isWhole(json) || json < 1 || json > downstreamCountMax)
    throw refuse(at, `a whole number from 1 to ${downstreamCountMax}`);
  return json;
}

function namesAt(json: unknown, at: string): readonly string[] {
  if (!Array.isArray(json) || json.length > keyspacesAskedMax || !json.every(isName))
    throw refuse(at, `at most ${keyspacesAskedMax} ids or names of keyspaces`);
  return json;
}

function useView({ keyId, keyspaceId, version, atMs }: KeyUse) {
  return { key_id: keyId, keyspace_id: keyspaceId, version, at_ms: atMs };
}

function usesAt(json: unknown, at: string): readonly KeyUse[] {
  if (!Array.isArray(json) || json.length > usesPerAskMax)
    throw refuse(at, `a list of at most ${usesPerAskMax}`);
  return json.map((entry: unknown, index) => {
    const where = `${at}/${index}`;
    const { key_id: key, keyspace_id: keyspace, version, at_ms: atMs } = objectAt(entry, where);
    const keyId = typeof key === 'string' ? parseId('key', key) : undefined;
    const keyspaceId = typeof keyspace === 'string' ? parseId('ks', keyspace) : undefined;
    if (keyId === undefined) throw refuse(`${where}/key_id`, 'the id of a key');
    if (keyspaceId === undefined) throw refuse(`${where}/keyspace_id`, 'the id of a keyspace');
    if (!isWhole(version) || version < 1 || version > versionMax)
      throw refuse(`${where}/version`, 'the number of a version');
    if (!isUseTime(atMs)) throw refuse(`${where}/at_ms`, 'Unix milliseconds');
    return { keyId, keyspaceId, version, atMs };
  });
}

/** A version number is a PostgreSQL integer. */
const versionMax = 2_147_483_647;

function isUseTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= timeMsMax;
}

function booleanAt(json: unknown, at: string): boolean {
  if (typeof json !== 'boolean') throw refuse(at, 'true or false');
  return json;
}

function objectAt(json: unknown, at: string): Readonly<Record<string, unknown>> {
  if (!isObject(json)) throw refuse(at, 'an object');
  return json;
}

function refuse(field: string, expected: string): Fault {
  return new Fault('invalid_field', { detail: 'The lease can not be asked for like this.', field, expected });
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || !isWithinLength(value, nameLengthMax)) return false;
  return value.isWellFormed() && !hasControlCharacter(value);
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0;
}

function isBelow(value: unknown, end: number): boolean {
  return isWhole(value) && value < end;
}

function isSeqs(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length >= 1 && value.length <= shardsMax && value.every(isWhole);
}

function isAge(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= leaseAgeMsMax;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 8_640_000_000_000_000;
}
