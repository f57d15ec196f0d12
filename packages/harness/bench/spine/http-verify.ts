import type { Generator } from '../load/measure.ts';
import { cpuSecondsOf, startEchoServer } from '../load/measure.ts';
import { type LoadResult, postRequest } from '../load/raw-load.ts';
import { median } from './median.ts';

/*
 * `POST /v1/keys/verify` against a bare `node:http` server that parses and answers the same JSON body. Both
 * run alone in a process, under the same generator, in alternating rounds. Throughput says what a caller
 * gets; CPU per request says what it cost the server, and does not depend on how fast the generator is.
 */

export interface HttpVerifyOptions {
  readonly generator: Generator;
  readonly server: { readonly port: number; readonly pid: number };
  readonly managementKey: string;
  readonly keyspace: string;
  readonly secrets: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

interface Round {
  readonly perSecond: number;
  readonly cpuMicrosPerRequest: number;
}

export interface HttpVerifyResult {
  readonly ours: Round;
  readonly floor: Round;
  /** Median over the rounds of ours / floor, by requests a second. */
  readonly throughputRatio: number;
  /** Median over the rounds of floor / ours, by CPU a request. */
  readonly cpuRatio: number;
}

export async function benchHttpVerify(options: HttpVerifyOptions): Promise<HttpVerifyResult> {
  const bodies = options.secrets.map((key) => ({ key, keyspace: options.keyspace, scopes: ['orders:read'] }));
  // The same bytes to both, but for the path.
  const headers = { authorization: `Bearer ${options.managementKey}` };
  const verifyRequests = bodies.map((body) => postRequest('/v1/keys/verify', body, headers));
  const echoRequests = bodies.map((body) => postRequest('/', body, headers));
  const echo = await startEchoServer();
  const ours: Round[] = [];
  const floor: Round[] = [];
  try {
    for (let round = 0; round < options.rounds; round++) {
      floor.push(await measure(options, echo, echoRequests));
      ours.push(await measure(options, options.server, verifyRequests));
    }
  } finally {
    echo.stop();
  }
  const pairs = ours.map((mine, index) => ({ mine, base: floor[index] ?? mine }));
  return {
    ours: medianRound(ours),
    floor: medianRound(floor),
    throughputRatio: median(pairs.map(({ mine, base }) => mine.perSecond / base.perSecond)),
    cpuRatio: median(pairs.map(({ mine, base }) => base.cpuMicrosPerRequest / mine.cpuMicrosPerRequest)),
  };
}

async function measure(
  options: HttpVerifyOptions,
  target: { readonly port: number; readonly pid: number },
  requests: readonly Buffer[],
): Promise<Round> {
  const { connections, seconds } = options;
  const cpuBefore = await cpuSecondsOf(target.pid);
  const result = await options.generator.run({
    port: target.port,
    requests,
    connections,
    seconds,
    warmupSeconds: 1,
    spins: true,
  });
  const cpuSeconds = (await cpuSecondsOf(target.pid)) - cpuBefore;
  const answered = answeredOf(result);
  return {
    perSecond: result.counted / result.seconds,
    cpuMicrosPerRequest: (cpuSeconds * 1e6) / answered,
  };
}

function answeredOf(result: LoadResult): number {
  const { 200: answered = 0, ...others } = result.statuses;
  if (Object.keys(others).length > 0) throw new Error(`not only 200: ${JSON.stringify(result.statuses)}`);
  return answered;
}

function medianRound(rounds: readonly Round[]): Round {
  return {
    perSecond: median(rounds.map((round) => round.perSecond)),
    cpuMicrosPerRequest: median(rounds.map((round) => round.cpuMicrosPerRequest)),
  };
}
