import { builtinKeyspaceName, Fault, isUnnarrowed, type KeySelector, type KeyspaceId } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { findKeyspaceNamed } from '../access/find-keyspace.ts';
import { reaches, requireAnywhere } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { campaignCountMax, campaignKeyspacesMax } from '../limits.ts';
import { type CampaignWish, checkSelectorScopes } from './campaign-terms.ts';

/*
 * From what a caller asks for to what a campaign goes by: keyspaces by their ids, as they are now, each one in which
 * the caller has the right to do by hand what the campaign will do.
 */

/** A renewal that ends in a revocation is one: whoever may only rotate sets no such deadline. */
function rightsFor({ kind, onDeadline }: Pick<CampaignWish, 'kind' | 'onDeadline'>) {
  if (kind === 'revoke') return ['keys:revoke'] as const;
  return onDeadline === 'revoke' ? (['keys:rotate', 'keys:revoke'] as const) : (['keys:rotate'] as const);
}

export async function resolveSelector(
  ports: UseCasePorts,
  caller: Caller,
  wish: CampaignWish,
  nowMs: number,
): Promise<KeySelector> {
  for (const right of rightsFor(wish)) requireAnywhere(caller, right);
  const { ownerId, scopes, issuedBeforeMs, state } = wish.selector;
  return {
    keyspaceIds: await keyspacesOf(ports, caller, wish),
    ownerId: ownerId ?? null,
    scopes: checkSelectorScopes(scopes),
    issuedBeforeMs: Math.min(issuedBeforeMs ?? nowMs, nowMs),
    state: state ?? null,
  };
}

type Rights = ReturnType<typeof rightsFor>;

async function keyspacesOf(
  ports: UseCasePorts,
  caller: Caller,
  wish: CampaignWish,
): Promise<readonly KeyspaceId[]> {
  const { keyspace, all, prefix } = wish.selector;
  const rights = rightsFor(wish);
  if ((keyspace === undefined) === (all !== true)) {
    throw new Fault(keyspace === undefined ? 'missing_field' : 'invalid_field', {
      detail: 'A campaign names its keyspace, or says that it means all of them.',
      field: '/selector/keyspace',
      expected: 'one of keyspace and all: true',
    });
  }
  const ids =
    keyspace === undefined
      ? await allKeyspaces(ports, caller, rights, prefix)
      : await oneKeyspace(ports, caller, { rights, keyspace, prefix });
  if (ids.length > 0) return ids;
  throw nothingSelected('/selector/prefix');
}

async function oneKeyspace(
  ports: UseCasePorts,
  caller: Caller,
  wish: {
    readonly rights: Rights;
    readonly keyspace: string;
    readonly prefix: string | undefined;
  },
): Promise<readonly KeyspaceId[]> {
  const named = { named: wish.keyspace, field: '/selector/keyspace', scopes: wish.rights };
  const found = await findKeyspaceNamed(ports, caller, named);
  return wish.prefix === undefined || wish.prefix === found.prefix ? [found.id] : [];
}

/** All but the built-in one, which has to be named. One that the caller has no right in refuses the whole. */
async function allKeyspaces(
  ports: UseCasePorts,
  caller: Caller,
  rights: Rights,
  prefix: string | undefined,
): Promise<readonly KeyspaceId[]> {
  const narrow = rights.find((right) => !reaches(caller.scopes, right, '*'));
  if (narrow !== undefined) {
    throw new Fault('forbidden', {
      detail: 'Your management key has this right in some keyspaces only: name one of them.',
      field: '/selector/keyspace',
      expected: narrow,
    });
  }
  const page = { limit: campaignKeyspacesMax + 1 };
  const found = await ports.reader.keyspaces(caller.workspaceId, page);
  if (found.length > campaignKeyspacesMax) {
    throw new Fault('invalid_field', {
      detail: 'There are too many keyspaces for one campaign.',
      field: '/selector/all',
      expected: `one keyspace; all, of up to ${campaignKeyspacesMax}`,
    });
  }
  return found
    .filter(({ name }) => name !== builtinKeyspaceName)
    .filter((one) => prefix === undefined || one.prefix === prefix)
    .map(({ id }) => id);
}

export interface Counted {
  readonly count: number;
  /** False: there are more. */
  readonly isExact: boolean;
}

/** What it matches by now, counted up to a bound. */
export async function countSelected(
  ports: UseCasePorts,
  selector: KeySelector,
  nowMs: number,
): Promise<Counted> {
  const ranks = { from: 0, until: 65_536 };
  let count = 0;
  for (let shard = 0; shard < ports.shards; shard += 1) {
    for (const keyspaceId of selector.keyspaceIds) {
      const limit = campaignCountMax - count;
      const place = { shard, keyspaceId, selector, ranks, after: null, limit, nowMs };
      count += await ports.reader.countCampaignKeys(place);
      if (count >= campaignCountMax) return { count, isExact: false };
    }
  }
  return { count, isExact: true };
}

/** Refuses a selector that matches nothing, and one that matches everything unless that was said. */
export async function checkExtent(
  ports: UseCasePorts,
  selector: KeySelector,
  { confirm }: Pick<CampaignWish, 'confirm'>,
  nowMs: number,
): Promise<Counted> {
  const counted = await countSelected(ports, selector, nowMs);
  const { count, isExact } = counted;
  if (count === 0) throw nothingSelected('/selector');
  if (confirm === 'all' || (isExact && confirm === count)) return counted;
  const whole = isUnnarrowed(selector, nowMs) ? counted : await countWhole(ports, selector, nowMs);
  if (confirm === undefined && whole.isExact && count < whole.count) return counted;
  throw new Fault(confirm === undefined ? 'confirm_required' : 'invalid_field', {
    detail:
      confirm === undefined
        ? `It would take every key of ${selector.keyspaceIds.length === 1 ? 'the keyspace' : 'these keyspaces'}.`
        : 'This is not the number of keys that it would take.',
    field: '/confirm',
    expected: isExact ? `${count} or "all"` : '"all"',
    extra: { selected: count, selected_exact: isExact },
  });
}

/** The keys of the same keyspaces, whoever holds them. */
function countWhole(ports: UseCasePorts, selector: KeySelector, nowMs: number): Promise<Counted> {
  const whole = { ...selector, ownerId: null, scopes: [], state: null, issuedBeforeMs: nowMs };
  return countSelected(ports, whole, nowMs);
}

function nothingSelected(field: string): Fault {
  return new Fault('nothing_selected', {
    detail: 'No key is matched that a campaign could do anything about.',
    field,
    expected: 'a selector that matches a key which is neither revoked nor expired',
  });
}
