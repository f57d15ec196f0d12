import type { Generator } from '../load/measure.ts';
import { postRequest } from '../load/raw-load.ts';
import { median } from './median.ts';
import { type RawRows, readRawRows, writeRawRows } from './raw-rows.ts';

/*
 * Durable issuance through the whole server (HTTP, minting, hashing, lanes, feed, audit) against the rows that it
 * leaves behind, written straight into the same PostgreSQL: one transaction a key for single issuance, one
 * multi-row insert a table for bulk. Rounds alternate; the ratio is the median of the rounds' ratios.
 */

export interface IssuanceOptions {
  readonly generator: Generator;
  readonly serverPort: number;
  readonly managementKey: string;
  /** The server's own database, and an empty one of the same schema for the peers. */
  readonly serverUrl: string;
  readonly peerUrl: string;
  readonly clearPeer: () => Promise<void>;
  readonly keyspaceOf: (
    round: string,
  ) => Promise<{ readonly name: string; readonly uuid: string; readonly id: string }>;
  readonly rounds: number;
  readonly seconds: number;
}

export interface IssuanceShape {
  /** Requests under way at once, and transactions under way at once for the peer. */
  readonly concurrency: number;
  /** 1 for `POST /v1/keys`, more for `POST /v1/keys/bulk`. */
  readonly keysPerRequest: number;
}

export interface IssuanceResult {
  readonly oursPerSecond: number;
  readonly peerPerSecond: number;
  readonly ratio: number;
}

export async function benchIssuance(options: IssuanceOptions, shape: IssuanceShape): Promise<IssuanceResult> {
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const keyspace = await options.keyspaceOf(`${shape.keysPerRequest}-${round}`);
    ours.push(await issue(options, shape, keyspace.name));
    const rows = await readRawRows(options.serverUrl, keyspace, rowsMax);
    await options.clearPeer();
    peer.push(await writePeer(options, shape, rows));
  }
  return {
    oursPerSecond: median(ours),
    peerPerSecond: median(peer),
    ratio: median(ours.map((mine, index) => mine / (peer[index] ?? mine))),
  };
}

/** Enough for a round of the peer, and a bound on what is held in memory. */
const rowsMax = 400_000;

async function issue(options: IssuanceOptions, shape: IssuanceShape, keyspace: string): Promise<number> {
  const result = await options.generator.run({
    port: options.serverPort,
    requests: issueRequests(options.managementKey, keyspace, shape.keysPerRequest),
    connections: shape.concurrency,
    seconds: options.seconds,
    warmupSeconds: 1,
  });
  const accepted = shape.keysPerRequest === 1 ? '201' : '200';
  const others = Object.keys(result.statuses).filter((status) => status !== accepted);
  if (others.length > 0) throw new Error(`not only ${accepted}: ${JSON.stringify(result.statuses)}`);
  return (result.counted * shape.keysPerRequest) / result.seconds;
}

function issueRequests(managementKey: string, keyspace: string, keysPerRequest: number): readonly Buffer[] {
  const headers = { authorization: `Bearer ${managementKey}` };
  const asked = (index: number) => ({
    keyspace,
    owner: { kind: 'service', external_id: `bench-${index % 100}` },
    name: `bench ${index}`,
    scopes: ['orders:read'],
    ttl_seconds: 86_400,
  });
  if (keysPerRequest === 1) {
    return Array.from({ length: 1000 }, (_, index) => postRequest('/v1/keys', asked(index), headers));
  }
  const keys = Array.from({ length: keysPerRequest }, (_, index) => asked(index));
  return [postRequest('/v1/keys/bulk', { keys }, headers)];
}

function writePeer(options: IssuanceOptions, shape: IssuanceShape, rows: RawRows): Promise<number> {
  return writeRawRows({
    url: options.peerUrl,
    rows,
    concurrency: shape.concurrency,
    keysPerTransaction: shape.keysPerRequest,
    secondsMax: options.seconds,
  });
}
