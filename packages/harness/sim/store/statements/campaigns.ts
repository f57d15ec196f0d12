import type { KeyRow } from '@keyswarm/server/rooms/storage/statements/record-rows';
import type { Params } from '../params.ts';
import type { SimTransaction } from '../sim-transaction.ts';
import type { InShard } from '../tables.ts';
import type { Handlers, Row } from './handler.ts';

/* Keys that a campaign means, and those that it has asked. */

const rankOf = (id: string): number => Number.parseInt(id.slice(24, 28), 16);

function meant(tx: SimTransaction, given: Params): readonly InShard<KeyRow>[] {
  const nowMs = given.instant(7);
  const covering = JSON.parse(given.text(9)) as readonly (readonly string[])[];
  const state = given.textOrNull(8);
  const owner = given.has(11) ? given.text(11) : undefined;
  return [...tx.scan(tx.tables.keys)]
    .map(([, key]) => key)
    .filter((key) => {
      const rank = rankOf(key.id);
      const isPending = key.not_before !== null && key.not_before > nowMs;
      const stateNow = key.state === 'suspended' ? 'suspended' : isPending ? 'pending' : 'active';
      return (
        key.shard === given.number(1) &&
        key.keyspace_id === given.text(2) &&
        key.id > given.text(3) &&
        rank >= given.number(4) &&
        rank < given.number(5) &&
        key.created_at < given.instant(6) &&
        key.state !== 'revoked' &&
        (key.expires_at === null || key.expires_at > nowMs) &&
        (state === null || state === stateNow) &&
        covering.every((each) => each.some((scope) => key.scopes.includes(scope))) &&
        (owner === undefined || key.owner_id === owner)
      );
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, given.number(10));
}

const select = { run: (tx: SimTransaction, given: Params): readonly Row[] => meant(tx, given) };
const count = {
  run: (tx: SimTransaction, given: Params): readonly Row[] => [{ found: meant(tx, given).length }],
};

const askedBy = (tx: SimTransaction, campaign: string): readonly InShard<KeyRow>[] =>
  [...tx.scan(tx.tables.keys)].map(([, key]) => key).filter((key) => key.traits?.campaign === campaign);

export const campaignHandlers: Handlers = {
  select_campaign_keys: select,
  select_campaign_keys_of_owner: select,
  count_campaign_keys: count,
  count_campaign_keys_of_owner: count,
  select_asked_keys: {
    run: (tx, given) =>
      askedBy(tx, given.text(2))
        .filter((key) => key.shard === given.number(1) && key.id > given.text(3) && key.state !== 'revoked')
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, given.number(4)),
  },
  count_asked_keys: {
    run(tx, given) {
      const asked = askedBy(tx, given.text(2));
      const isOpen = (key: KeyRow) =>
        key.traits?.renew_after_ms !== undefined &&
        key.state !== 'revoked' &&
        (key.expires_at === null || key.expires_at > given.instant(3));
      const renewed = asked.filter((key) => key.traits?.renew_after_ms === undefined).length;
      return [{ renewed, open: asked.filter(isOpen).length }];
    },
  },
};
