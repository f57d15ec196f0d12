import type { JsonObject } from '@keyswarm/core';

/** A value of a `jsonb[]` parameter, whose elements travel as text. */
export function jsonTextOrNull(value: JsonObject | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
