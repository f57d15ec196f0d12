import type { Queryable } from '../store.ts';

/** A day as SQL writes it: `2026-03-01`. */
export type Day = string;

const listPartitions = {
  name: '',
  text: `
    select c.relname as name
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'feed'::regclass
    order by c.relname`,
};

const setLockTimeout = { name: '', text: "select set_config('lock_timeout', $1, true)" };
const hasBegun = { name: '', text: 'select 1 as begun from feed_default where day = $1::date limit 1' };
const sweepDefault = { name: '', text: 'delete from feed_default where day < $1::date' };

/** The days that have a partition of their own. */
export async function listDays(tx: Queryable): Promise<readonly Day[]> {
  const rows = await tx.query<{ name: string }>(listPartitions);
  return rows.flatMap(({ name }) => dayOf(name) ?? []);
}

/** Until the transaction ends, a lock is waited for no longer than this. */
export async function boundLocks(tx: Queryable, ms: number): Promise<void> {
  await tx.query(setLockTimeout, [`${ms}ms`]);
}

/**
 * Made beside and then attached: to create it in place would lock the whole feed against readers and writers,
 * where attaching only locks out other changes of partitions.
 *
 * A day that has begun in the default partition stays there: to move its rows would stop all writers for as long
 * as that takes. It happens where upkeep was late, and costs a delete in place of a drop when the day is old.
 */
export async function createDay(tx: Queryable, day: Day): Promise<void> {
  const begun = await tx.query(hasBegun, [day]);
  if (begun.length > 0) return;
  const name = partitionOf(day);
  await tx.query({ name: '', text: `create table ${name} (like feed including all)` });
  await tx.query({
    name: '',
    text: `alter table feed attach partition ${name} for values from ('${day}') to ('${nextDay(day)}')`,
  });
}

export async function dropDay(tx: Queryable, day: Day): Promise<void> {
  await tx.query({ name: '', text: `drop table ${partitionOf(day)}` });
}

/** The default partition is never dropped; what is too old in it is deleted. */
export async function deleteBefore(tx: Queryable, day: Day): Promise<void> {
  await tx.query(sweepDefault, [day]);
}

const dayMs = 86_400_000;

/** The day in UTC that is `offsetDays` after that of `nowMs`. */
export function dayAt(nowMs: number, offsetDays: number): Day {
  return new Date(nowMs + offsetDays * dayMs).toISOString().slice(0, 10);
}

function nextDay(day: Day): Day {
  return dayAt(Date.parse(day), 1);
}

/** Days come from `dayAt` or from the name of a partition, never from outside: they may stand in a statement. */
function partitionOf(day: Day): string {
  return `feed_${day.replaceAll('-', '')}`;
}

function dayOf(name: string): Day | undefined {
  const match = /^feed_(\d{4})(\d\d)(\d\d)$/.exec(name);
  return match === null ? undefined : `${match[1]}-${match[2]}-${match[3]}`;
}
