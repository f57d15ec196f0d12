import {
  type Answer,
  covers,
  coversAll,
  judge,
  type KeyId,
  keyLengthMax,
  keyStringPrefixLength,
  newStanding,
  type ParentRefusal,
  type RefusalCode,
  type RefusedVerdict,
  refusalCodes,
  type StaleAnswer,
  shardOfId,
  tokenSkewMsMax,
  type ValidVerdict,
} from '@keyswarm/core';
import type { Lease } from '../lease/lease.ts';
import { leaseInForceMs } from '../lease/raised-lease.ts';
import type { KeyspaceEntry } from '../table/keyspaces.ts';
import {
  endMsAt,
  keyStateIn,
  mintedAtMsAt,
  notBeforeBit,
  versionNumberOf,
  versionStateIn,
} from '../table/record-fields.ts';
import { word } from '../table/record-pages.ts';
import { notBeforeMsOf, type ResidentTable } from '../table/resident-table.ts';
import type { SigningKeyEntry } from '../table/signing-keys.ts';
import type { FoundKey, HeldVersion, Requirement, VerifierClock } from '../verifier-port.ts';
import { digestOf, digestWord } from './fingerprint.ts';
import { keyIdOfWords } from './key-id-text.ts';
import { looksLikeToken, type ReadToken, readToken, tokenKind } from './read-token.ts';
import { TokenCache } from './token-cache.ts';

/*
 * One verification: `length → fingerprint → table → judgement → verdict → lease`. It reads memory and two clocks,
 * nothing else; it allocates the verdict and nothing that lives longer.
 *
 * The checksum of the key string is looked at last, and only of strings that aren't in the table. A string that is
 * in it has been issued, and needs no checksum to be believed; for the others the checksum tells a mistyped key
 * (`malformed`) from one that doesn't exist (`unknown`). Checked first, it would cost every good key 0.1 µs to
 * spare a bad one a hash of 0.4. What an imported key looks like nobody knows, so a string that isn't of our
 * format is looked for too: whole, and then its part after the last underscore, which is what the hashes of
 * prefixed API keys cover. Since the answer for those is found by looking, not by their form, `malformed` of a
 * foreign string can be lifted by an import; of a string of our format it is final.
 *
 * A key whose owner or keyspace hasn't been heard of yet can't be judged, and is answered `stale`: to refuse it
 * might refuse a good key, to accept it might overlook a suspension.
 *
 * Refusals don't ask the lease here. It bounds how long an outdated yes may be said; for a no it would prove
 * nothing, because a key issued a second ago is unknown to a verifier with a fresh lease of thirty. Whoever
 * answers over a network waits for heads read after the request before he passes such a no on (design §7).
 */

export const stale: StaleAnswer = Object.freeze({ valid: null, code: 'stale' });

const refusals = Object.freeze(
  Object.fromEntries(refusalCodes.map((code) => [code, Object.freeze({ valid: false, code })])),
) as Readonly<Record<RefusalCode, RefusedVerdict>>;

const noScopes: readonly string[] = Object.freeze([]);
const noRequirement: Requirement = Object.freeze({});
const noShards: readonly number[] = Object.freeze([]);

/** How a version was presented, and what is required of it. */
export interface Presented {
  readonly requirement: Requirement;
  readonly isSigned: boolean;
  /** Absent: it was no token. */
  readonly token?: ReadToken | undefined;
}

/** A token that is good by itself, and the version that it is or hangs on. */
interface FoundToken {
  readonly record: number;
  readonly token: ReadToken;
}

export class KeyJudge {
  readonly #clock: VerifierClock;
  readonly #lease: Lease;
  readonly #standing = newStanding();
  readonly #tokens = new TokenCache();

  readonly #shards: () => number;

  /** `shards` says how many the feed has now. */
  constructor(clock: VerifierClock, lease: Lease, shards: () => number) {
    this.#clock = clock;
    this.#lease = lease;
    this.#shards = shards;
  }

  verify(table: ResidentTable, key: string, requirement: Requirement): Answer {
    if (looksLikeToken(key)) {
      const found = this.#tokenIn(table, key, requirement);
      if (found !== undefined)
        return 'token' in found
          ? this.judgeRecord(table, found.record, { requirement, isSigned: false, token: found.token })
          : found;
    }
    const record = this.#recordOf(table, key, requirement);
    return typeof record === 'number'
      ? this.judgeRecord(table, record, { requirement, isSigned: false })
      : record;
  }

  find(table: ResidentTable, key: string): FoundKey {
    if (looksLikeToken(key)) {
      const found = this.#tokenIn(table, key, noRequirement);
      if (found !== undefined) return this.#foundByToken(table, found);
    }
    const record = this.#recordOf(table, key, noRequirement);
    if (typeof record !== 'number') return { answer: record, held: null };
    return {
      answer: this.judgeRecord(table, record, { requirement: noRequirement, isSigned: false }),
      held: heldVersionOf(table, record),
    };
  }

  /** Whoever holds a token that was derived of a key doesn't hold the key. */
  #foundByToken(table: ResidentTable, found: Answer | FoundToken): FoundKey {
    if (!('token' in found)) return { answer: found, held: null };
    const { record, token } = found;
    const answer = this.judgeRecord(table, record, { requirement: noRequirement, isSigned: false, token });
    return { answer, held: token.parent === undefined ? heldVersionOf(table, record) : null };
  }

  /** Where it stands, or the answer to a string for which nothing does. */
  #recordOf(table: ResidentTable, key: string, requirement: Requirement): number | Answer {
    if (typeof key !== 'string' || key.length === 0 || key.length > keyLengthMax) return refusals.malformed;
    const record = this.#find(table, key, requirement);
    if (record !== 0) return record;
    if (keyStringPrefixLength(key) !== 0) return this.unknown();
    const byToken = this.#findByLongToken(table, key, requirement);
    if (byToken !== 0) return byToken;
    return this.#lease.hasQuarantined ? stale : refusals.malformed;
  }

  /** The key may have been issued in a shard of which nothing is heard any more. */
  unknown(): Answer {
    return this.#lease.hasQuarantined ? stale : refusals.unknown;
  }

  /**
   * The signature is verified when a token is first seen, and remembered by its digest. All the rest is asked of the
   * table each time: is its signing key still good, is the key that it is or hangs on, is the lease. Undefined: the text is
   * no token of ours, and may be a key of another system.
   */
  #tokenIn(table: ResidentTable, text: string, requirement: Requirement): Answer | FoundToken | undefined {
    const signer = tokenKind(table.signingKeys, text);
    if (signer === 'foreign') return undefined;
    if (signer === 'unknown') return this.unknown();
    if (typeof signer === 'string') return refusals[signer];
    const digest = digestOf(text);
    const known = this.#tokens.get(digest);
    const token = known ?? readToken(signer, text);
    if (typeof token === 'string') return refusals[token];
    if (known === undefined) this.#tokens.set(digest, token);
    const wanted = requirement.workspaceId;
    if (wanted !== undefined && wanted !== signer.workspaceId) return refusals.unknown;
    if (signer.removed || !(token.issuedAtMs > signer.notBeforeMs)) return refusals.revoked;
    const record = findOf(table, token, digest);
    if (record === 0 || !isOf(table, record, token, signer)) return this.unknown();
    return { record, token };
  }

  #findByLongToken(table: ResidentTable, key: string, requirement: Requirement): number {
    const underscoreAt = key.lastIndexOf('_');
    if (underscoreAt === -1 || underscoreAt === key.length - 1) return 0;
    return this.#find(table, key.slice(underscoreAt + 1), requirement);
  }

  #find(table: ResidentTable, text: string, requirement: Requirement): number {
    const record = findDigest(table, digestOf(text));
    return record !== 0 && table.hasTwins ? chooseTwin(table, record, requirement) : record;
  }

  /** The verdict on a version that was found, by its key string or by a signature that was verified; the lease last. */
  judgeRecord(table: ResidentTable, record: number, { requirement, isSigned, token }: Presented): Answer {
    const page = table.records.pageOf(record);
    const from = table.records.offsetOf(record);
    const keyspace = table.keyspaces.entry((page[from + word.keyspace] ?? 0) >>> 10);
    if (keyspace.workspaceId === undefined) return stale;
    const wanted = requirement.workspaceId;
    if (wanted !== undefined && wanted !== keyspace.workspaceId) return refusals.unknown;
    const ownerWord = page[from + word.owner] ?? 0;
    const owner = table.owners.view(ownerWord >>> 5);
    if (owner === undefined) return stale;
    this.#fill(table, record, keyspace, requirement);
    this.#standing.lacksSignature = keyspace.wantsSignature && !isSigned;
    const latestMs = this.#clock.latestMs();
    const earliestMs = (ownerWord & notBeforeBit) === 0 ? latestMs : this.#clock.earliestMs();
    if (token !== undefined) this.#narrow(token, requirement);
    const judged = judge(this.#standing, earliestMs, latestMs);
    const code =
      judged === 'valid' && token !== undefined && isEarly(token, latestMs) ? 'not_yet_valid' : judged;
    const behind = this.#lease.hasQuarantined ? this.#quarantinedOf(table, record, token) : noShards;
    // A revocation is final; any other no might be lifted by what can't be read.
    if (code !== 'valid') return behind.length > 0 && code !== 'revoked' ? stale : refusals[code];

    const endMs = this.#standing.expiresAtMs;
    const inGrace = this.#standing.versionState === 'grace';
    const graceEndMs = this.#standing.versionRetiresAtMs;
    const verdict: ValidVerdict = {
      valid: true,
      code: 'valid',
      keyId: keyIdOfWords(
        page[from + word.keyId] ?? 0,
        page[from + word.keyId + 1] ?? 0,
        page[from + word.keyId + 2] ?? 0,
        page[from + word.keyId + 3] ?? 0,
      ),
      version: versionNumberOf(table.records, table.wide, record),
      owner,
      workspaceId: keyspace.workspaceId,
      keyspaceId: keyspace.id,
      keyspace: keyspace.name,
      scopes: scopesOf(table, (page[from + word.scopes] ?? 0) >>> 5, token),
      expiresAtMs: endMs === Number.POSITIVE_INFINITY ? null : endMs,
      rotation: inGrace ? { state: 'grace', retiresAtMs: graceEndMs } : null,
      renewAfterMs: table.traits.size === 0 ? null : (table.traits.get(record)?.renewAfterMs ?? null),
    };
    if (!this.#isLeased(keyspace, behind, latestMs)) return stale;
    if (inGrace) table.graceUses.note(record, latestMs);
    else if (table.firstUses.isExpected(record)) table.noteFirstUse(record, latestMs);
    return verdict;
  }

  #isLeased(keyspace: KeyspaceEntry, behind: readonly number[], latestMs: number): boolean {
    const lease = this.#lease;
    const wallMs = this.#clock.isAuthority ? latestMs : this.#clock.wallMs();
    if (behind.length === 0) return lease.holds(leaseInForceMs(keyspace, lease.baseMs), wallMs);
    return lease.holdsFor(behind, leaseInForceMs(keyspace, lease.baseMsFor(behind)), wallMs);
  }

  /** Of the shards that this record hangs on, those that stand still. */
  #quarantinedOf(table: ResidentTable, record: number, token: ReadToken | undefined): readonly number[] {
    const owner = table.owners.view(table.records.get(record, word.owner) >>> 5);
    const ids = [
      keyIdOf(table, record),
      keyspaceOf(table, record).id,
      ...(owner === undefined ? [] : [owner.id]),
      ...(token === undefined ? [] : [token.signingKeyId]),
    ];
    const shards = ids.map((id) => shardOfId(id, this.#shards()));
    return shards.filter((shard) => this.#lease.isQuarantined(shard));
  }

  /** A token is worth what its key is worth, or less: it may end sooner, and be for fewer scopes. */
  #narrow(token: ReadToken, requirement: Requirement): void {
    const standing = this.#standing;
    standing.expiresAtMs = Math.min(standing.expiresAtMs, token.expiresAtMs);
    if (token.parent === undefined || requirement.scopes === undefined) return;
    standing.scopesCovered = standing.scopesCovered && coversAll(token.scopes, requirement.scopes);
  }

  #fill(table: ResidentTable, record: number, keyspace: KeyspaceEntry, requirement: Requirement): void {
    const standing = this.#standing;
    const page = table.records.pageOf(record);
    const from = table.records.offsetOf(record);
    const ownerWord = page[from + word.owner] ?? 0;
    const asked = requirement.keyspace;
    standing.keyspaceMatches = asked === undefined || asked === keyspace.askedAs || asked === keyspace.id;
    standing.keyState = keyStateIn(ownerWord);
    standing.versionState = versionStateIn(ownerWord);
    const endMs = endMsAt(page, from);
    standing.versionRetiresAtMs = endMs;
    standing.expiresAtMs = endMs;
    standing.mintedAtMs = mintedAtMsAt(page, from);
    standing.notBeforeMs = notBeforeMsOf(table, record, ownerWord);
    const restriction = table.owners.restriction(ownerWord >>> 5);
    standing.ownerSuspended = restriction?.suspended ?? false;
    standing.ownerKeysNotBeforeMs = restriction?.keysNotBeforeMs ?? Number.NEGATIVE_INFINITY;
    standing.keyspaceSuspended = keyspace.suspended;
    standing.keyspaceKeysNotBeforeMs = keyspace.keysNotBeforeMs;
    this.#fillTraits(table, record);
    const scopes = requirement.scopes ?? noScopes;
    const scopesIndex = (page[from + word.scopes] ?? 0) >>> 5;
    standing.scopesCovered = scopes.length === 0 || table.scopeSets.coversAll(scopesIndex, scopes);
  }

  #fillTraits(table: ResidentTable, record: number): void {
    const traits = table.traits.size === 0 ? undefined : table.traits.get(record);
    const parentId = traits?.parentId;
    this.#standing.isEnrollment = traits?.enrollment === true;
    this.#standing.parentRefusal = parentId === undefined ? 'none' : parentRefusalOf(table, parentId);
  }
}

/** Null where its owner or keyspace has not been heard of. */
function heldVersionOf(table: ResidentTable, record: number): HeldVersion | null {
  const { id: keyspaceId, workspaceId } = keyspaceOf(table, record);
  const owner = table.owners.view(table.records.get(record, word.owner) >>> 5);
  if (workspaceId === undefined || owner === undefined) return null;
  return {
    keyId: keyIdOf(table, record),
    version: versionNumberOf(table.records, table.wide, record),
    mintedAtMs: mintedAtMsOf(table, record),
    workspaceId,
    keyspaceId,
    ownerId: owner.id,
    owner: { kind: owner.kind, externalId: owner.externalId },
    isEnrollment: table.traits.get(record)?.enrollment === true,
  };
}

/**
 * How a key is refused by what it hangs on. A parent is made before its child and in its shard, so one that isn't known
 * has been forgotten, and is as good as revoked.
 */
function parentRefusalOf(table: ResidentTable, parentId: KeyId): ParentRefusal {
  const record = table.parents.get(parentId);
  if (record === undefined) return 'revoked';
  const ownerWord = table.records.get(record, word.owner);
  const owner = table.owners.restriction(ownerWord >>> 5);
  const keyspace = keyspaceOf(table, record);
  const state = keyStateIn(ownerWord);
  const mintedAtMs = mintedAtMsOf(table, record);
  const isAfter = (watermarkMs: number | undefined) => mintedAtMs > (watermarkMs ?? Number.NEGATIVE_INFINITY);
  if (state === 'revoked' || !isAfter(owner?.keysNotBeforeMs) || !isAfter(keyspace.keysNotBeforeMs))
    return 'revoked';
  return state === 'suspended' || owner?.suspended === true ? 'suspended' : 'none';
}

function findDigest(table: ResidentTable, digest: string): number {
  return table.index.find(
    digestWord(digest, 0),
    digestWord(digest, 4),
    digestWord(digest, 8),
    digestWord(digest, 12),
  );
}

/**
 * The version that the token is, or that it was derived from; 0 where it isn't there (any more). By key id where several have
 * the fingerprint: somebody may have imported it elsewhere.
 */
function findOf(table: ResidentTable, { parent, keyId }: ReadToken, digest: string): number {
  const record = parent === undefined ? findDigest(table, digest) : table.index.find(...parent.words);
  if (record === 0 || !table.hasTwins) return record;
  return table.twinsOf(record).find((twin) => keyIdOf(table, twin) === keyId) ?? 0;
}

/**
 * What the signature covers has to agree with what is known: a token of another key or keyspace than it says is none, and so
 * is one that the signing key of another workspace signed.
 */
function isOf(table: ResidentTable, record: number, token: ReadToken, signer: SigningKeyEntry): boolean {
  const { id, workspaceId } = keyspaceOf(table, record);
  if (workspaceId !== undefined && workspaceId !== signer.workspaceId) return false;
  return keyIdOf(table, record) === token.keyId && id === token.audience;
}

/** The clock of the server that dated it may be ahead of the authority's by a little. */
function isEarly({ issuedAtMs, notBeforeMs }: ReadToken, latestMs: number): boolean {
  return !(Math.max(issuedAtMs, notBeforeMs) <= latestMs + tokenSkewMsMax);
}

/** Of a derived token, those of its own that its key still has. */
function scopesOf(
  table: ResidentTable,
  scopesIndex: number,
  token: ReadToken | undefined,
): readonly string[] {
  const held = table.scopeSets.scopes(scopesIndex);
  if (token?.parent === undefined) return held;
  if (table.scopeSets.coversAll(scopesIndex, token.scopes)) return token.scopes;
  return token.scopes.filter((scope) => covers(held, scope));
}

/**
 * Where one secret belongs to several keys, the key of the caller's workspace is meant, and of those the one minted
 * first: an import of a hash that somebody saw can neither replace nor hide the key it was taken from. Where none
 * is the caller's, one whose keyspace hasn't been heard of may be, and is answered `stale` like any other of those.
 */
function chooseTwin(table: ResidentTable, first: number, requirement: Requirement): number {
  const { workspaceId: wanted } = requirement;
  const workspaceOf = (record: number) => keyspaceOf(table, record).workspaceId;
  const twins = table.twinsOf(first);
  const seen = twins.filter((record) => workspaceOf(record) !== undefined);
  const ours = seen.filter((record) => wanted === undefined || workspaceOf(record) === wanted);
  ours.sort((a, b) => mintedAtMsOf(table, a) - mintedAtMsOf(table, b) || idOrder(table, a, b));
  return ours[0] ?? twins.find((record) => workspaceOf(record) === undefined) ?? first;
}

function mintedAtMsOf(table: ResidentTable, record: number): number {
  return mintedAtMsAt(table.records.pageOf(record), table.records.offsetOf(record));
}

function idOrder(table: ResidentTable, a: number, b: number): number {
  return keyIdOf(table, a) < keyIdOf(table, b) ? -1 : 1;
}

function keyspaceOf(table: ResidentTable, record: number): KeyspaceEntry {
  return table.keyspaceOf(record);
}

function keyIdOf(table: ResidentTable, record: number) {
  const page = table.records.pageOf(record);
  const from = table.records.offsetOf(record) + word.keyId;
  return keyIdOfWords(page[from] ?? 0, page[from + 1] ?? 0, page[from + 2] ?? 0, page[from + 3] ?? 0);
}
