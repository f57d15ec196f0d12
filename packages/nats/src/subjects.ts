/** Where everything of one Keyswarm is said on a broker. Two of them on one broker need different prefixes. */
export interface Subjects {
  /** Of the stream that keeps the feed for a while. */
  readonly stream: string;
  /** Every shard's rows. */
  readonly feedAll: string;
  readonly feedOf: (shard: number) => string;
  readonly beat: string;
  /** Somebody waits to hear how far verifiers are. */
  readonly wanted: string;
  /** Asked of any server. */
  readonly lease: string;
  /** Asked of the server that answered before. */
  readonly leaseOf: (server: string) => string;
  readonly rows: string;
  /** Those who answer: one of them is given each question. */
  readonly queue: string;
}

export const defaultPrefix = 'keyswarm';

const prefixShape = /^[A-Za-z0-9_-]{1,32}(\.[A-Za-z0-9_-]{1,32}){0,3}$/;

/** @throws {TypeError} for a prefix that is no one to four words of `A-Z a-z 0-9 _ -`. */
export function subjectsOf(prefix: string): Subjects {
  if (!prefixShape.test(prefix))
    throw new TypeError('prefix: expected one to four words of A-Z a-z 0-9 _ - with dots between them');
  return {
    // The name of a stream holds no dot.
    stream: `${prefix.replaceAll('.', '_')}_feed`,
    feedAll: `${prefix}.feed.*`,
    feedOf: (shard) => `${prefix}.feed.${shard}`,
    beat: `${prefix}.beat`,
    wanted: `${prefix}.wanted`,
    lease: `${prefix}.lease`,
    leaseOf: (server) => `${prefix}.lease.${server}`,
    rows: `${prefix}.rows`,
    queue: 'authority',
  };
}
