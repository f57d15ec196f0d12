import type { JsonObject } from '../encoding/json.ts';
import { eventDataDepthMax, eventDataTextLengthMax, eventDataValuesMax } from '../limits/limits.ts';
import { isStorableText } from '../text/check-text.ts';

/**
 * Is this the `data` of an event: a plain JSON object, shallow and small, whose texts can be stored? The same
 * question is asked before a row is written and after it is read, so that no row is written that a reader
 * would have to quarantine.
 */
export function isEventData(value: unknown): value is JsonObject {
  return isPlainObject(value) && countValues(value, eventDataDepthMax, 0) <= eventDataValuesMax;
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** How many values stand in `value`, on top of `soFar`; infinitely many if one of them is not allowed. */
function countValues(value: unknown, depthLeft: number, soFar: number): number {
  const count = soFar + 1;
  if (count > eventDataValuesMax) return count;
  if (value === null || typeof value === 'boolean') return count;
  if (typeof value === 'number') return Number.isFinite(value) ? count : Number.POSITIVE_INFINITY;
  if (typeof value === 'string') return isDataText(value) ? count : Number.POSITIVE_INFINITY;
  if (depthLeft === 0 || !(Array.isArray(value) || isPlainObject(value))) return Number.POSITIVE_INFINITY;
  let total = count;
  for (const [name, member] of Object.entries(value)) {
    if (!isDataText(name)) return Number.POSITIVE_INFINITY;
    total = countValues(member, depthLeft - 1, total);
    if (total > eventDataValuesMax) return total;
  }
  return total;
}

function isDataText(text: string): boolean {
  return text.length <= eventDataTextLengthMax && isStorableText(text);
}
