import Type, { type TObject, type TProperties } from 'typebox';
import { bulkItemsMax } from '../wire-limits.ts';
import { listOf, strictObject } from './fields.ts';
import { type ItemRefused, itemError } from './problem.ts';

/*
 * Bulk: a list in, a list out, in order. An item of the reply is what the single call would have answered, or
 * `{error}`. To the type checker that is a union; to the serialiser it is one flat object in which every field
 * may be absent, because a real union would have it validate each of a thousand items against both branches.
 */

/** 1 to 1,000 items under `keys`. */
export const bulkRequest = <T extends TObject>(title: string, item: T) =>
  strictObject({ keys: listOf(item, { minItems: 1, maxItems: bulkItemsMax }) }, { title });

export const bulkReply = <T>(title: string, item: TObject) => {
  const properties: TProperties = { ...item.properties, error: itemError };
  const flat = { type: 'object', properties, additionalProperties: false, title: `${title}Item` };
  return strictObject({ results: listOf(Type.Unsafe<T | ItemRefused>(flat)) }, { title });
};

export type ItemOf<Reply extends { results: readonly unknown[] }> = Reply['results'][number];
