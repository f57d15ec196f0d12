/**
 * A time as SQL takes it, exact to the millisecond. Rejected: `to_timestamp(ms / 1000)`, whose double loses
 * milliseconds in far years, so that a key would come back with another expiry than it was issued with.
 */
export function instantText(ms: number): string {
  return new Date(ms).toISOString();
}

export function instantTextOrNull(ms: number | null): string | null {
  return ms === null ? null : instantText(ms);
}
