import { inParallel } from '../acceptance/api.ts';
import { OpenLoad } from '../bound/open-load.ts';
import { spread } from '../bound/revoke-all.ts';
import { isAccepted, VerifyConnection } from '../bound/verify-connection.ts';
import { type Watched, watchRevocation } from '../bound/watch-revocation.ts';
import { type Derived, deriveAll, issueMany, monotonicOf, type TokenHouse, until } from './token-house.ts';
import type { TokenReader } from './token-reader.ts';
import { watchAtReader } from './watch-reader.ts';

export interface RevokedParentsOptions {
  readonly parents: number;
  readonly perSecond: number;
  /** Of tokens that stay good, on each node. */
  readonly loadPerSecond: number;
  readonly random: () => number;
}

interface Ended {
  readonly watched: Watched;
  readonly effectiveAtMs: number;
}

/**
 * Parents are revoked one after another, half of them opaque keys and half of them tokens; a token of each is presented to
 * every node until it is refused, and once more after `effective_by`. The tokens that have a place in a status list are also
 * presented to a reader that knows nothing else.
 */
export async function revokedParents(
  house: TokenHouse,
  reader: TokenReader,
  options: RevokedParentsOptions,
): Promise<void> {
  const { cluster } = house;
  const steady = await makeDerived(house, 40);
  const derived = await makeDerived(house, options.parents);
  await expectAll(house, [...steady, ...derived]);
  house.report('derived', `${derived.length} tokens, each valid at ${cluster.nodes.length} nodes`);
  const loads = startLoads(house, steady, options);
  const listed = derived.filter(({ keyspace }) => keyspace.format === 'jwt');
  const acks = new Map<string, number>();
  const ending = endAll(house, derived, acks, options.perSecond);
  const stop = new AbortController();
  const atReader = watchAtReader({
    reader,
    tokens: listed,
    ackOf: (id) => acks.get(id),
    pauseMs: 250,
    signal: stop.signal,
  });
  // Whichever breaks first is what is told.
  const [ended, seen] = await Promise.all([
    ending.then(async (all) => {
      reportNodes(house, all, await stopLoads(loads));
      await until(Math.max(...all.map(({ effectiveAtMs }) => effectiveAtMs)));
      await sweep(house, derived);
      return all;
    }),
    atReader,
  ]).finally(() => stop.abort());
  house.report('after effective_by', `${ended.length} tokens at ${cluster.nodes.length} nodes: all revoked`);
  house.report(
    'status list reader',
    `${listed.length} of these tokens refused; last acceptance after the ack ${spread(seen.windowsMs)}; ` +
      `ttl ${reader.ttlSeconds()} s, ${seen.listFetches} list fetches, ${seen.jwksFetches} JWKS fetches`,
  );
}

async function makeDerived(house: TokenHouse, count: number): Promise<readonly Derived[]> {
  const made: (readonly Derived[])[] = [];
  for (const keyspace of [house.tokens, house.opaque]) {
    const parents = await issueMany(house.cluster.api, keyspace, Math.ceil(count / 2));
    made.push(await deriveAll(house.issuer, keyspace, parents));
  }
  const [ofTokens = [], ofOpaque = []] = made;
  return ofTokens.flatMap((one, at) => [one, ...ofOpaque.slice(at, at + 1)]).slice(0, count);
}

/** Nothing is shown by the refusal of what was never accepted. */
async function expectAll({ cluster }: TokenHouse, derived: readonly Derived[]): Promise<void> {
  await Promise.all(
    cluster.nodes.map(async (node) => {
      const connection = new VerifyConnection(node);
      for (const { token, keyspace } of derived) {
        const { status, code } = await connection.ask(token, keyspace.name);
        if (code !== 'valid') throw new Error(`a new token was answered ${status} ${code} at ${node.name}`);
      }
      connection.close();
    }),
  );
}

async function endAll(
  house: TokenHouse,
  derived: readonly Derived[],
  acks: Map<string, number>,
  perSecond: number,
): Promise<readonly Ended[]> {
  const began = performance.now();
  return await Promise.all(
    derived.map(async (one, at) => {
      await until(began + (at / perSecond) * 1000);
      return await endParent(house, one, acks);
    }),
  );
}

async function endParent(
  { cluster }: TokenHouse,
  { id, token, keyspace }: Derived,
  acks: Map<string, number>,
): Promise<Ended> {
  let effectiveAtMs = Number.NaN;
  const watched = await watchRevocation({
    targets: cluster.nodes,
    key: token,
    keyspace: keyspace.name,
    pauseMs: 2,
    watchMs: 10_000,
    refusalsEnough: 5,
    async revoke() {
      const { status, body } = await cluster.api.call('POST', `/v1/keys/${id}/revoke`, { reason: 'proof' });
      if (status !== 200) throw new Error(`revoke: ${status} ${JSON.stringify(body)}`);
      acks.set(id, performance.now());
      effectiveAtMs = monotonicOf(body.effective_by);
    },
  });
  return { watched, effectiveAtMs };
}

/** All of them at every node, once more, when nobody may accept one any more. */
async function sweep({ cluster }: TokenHouse, derived: readonly Derived[]): Promise<void> {
  await inParallel(cluster.nodes, cluster.nodes.length, async (node) => {
    const connection = new VerifyConnection(node);
    for (const { token, keyspace } of derived) {
      const verdict = await connection.ask(token, keyspace.name);
      if (isAccepted(verdict)) throw new Error(`${node.name} accepted a token after effective_by`);
      if (verdict.code !== 'revoked') throw new Error(`${node.name} says ${verdict.code} of a revoked token`);
    }
    connection.close();
  });
}

function reportNodes(house: TokenHouse, ended: readonly Ended[], steady: readonly [number, number]): void {
  const windowsMs: number[] = [];
  let unavailable = 0;
  for (const { watched, effectiveAtMs } of ended) {
    if (!(effectiveAtMs <= watched.ackAtMs + house.boundMs + 50))
      throw new Error('effective_by is later than T after the acknowledgement');
    let windowMs = 0;
    for (const one of watched.seen) {
      windowMs = Math.max(windowMs, one.lastAcceptedMs - watched.ackAtMs);
      unavailable += one.unavailable;
      if (one.lastAcceptedSentMs > effectiveAtMs) throw new Error('a token was accepted after effective_by');
      if (one.undone > 0) throw new Error('a token was accepted after it was refused as revoked');
    }
    windowsMs.push(windowMs);
  }
  windowsMs.sort((a, b) => a - b);
  const [valid, refused] = steady;
  if (refused > 0) throw new Error(`${refused} good tokens were refused meanwhile`);
  house.report(
    'parents revoked',
    `${ended.length} parents: last acceptance of their tokens after the ack ${spread(windowsMs)}; ` +
      `0 after effective_by (T ${house.boundMs / 1000} s), ${unavailable} answers not available; ` +
      `of good tokens ${valid} valid, 0 refused`,
  );
}

function startLoads(
  { cluster }: TokenHouse,
  steady: readonly Derived[],
  { loadPerSecond, random }: RevokedParentsOptions,
): readonly OpenLoad[] {
  const byKeyspace = Map.groupBy(steady, ({ keyspace }) => keyspace.name);
  return cluster.nodes.flatMap((target) =>
    [...byKeyspace].map(([keyspace, ofIt]) => {
      const keys = ofIt.map(({ token }) => token);
      const perSecond = loadPerSecond / byKeyspace.size;
      const load = new OpenLoad({ target, keyspace, keys, perSecond, connectionsMax: 32, random });
      load.start();
      return load;
    }),
  );
}

/** How many good tokens were valid, and how many were refused. */
async function stopLoads(loads: readonly OpenLoad[]): Promise<readonly [number, number]> {
  await Promise.all(loads.map((load) => load.stop()));
  const counts = loads.map((load) => load.take());
  const sum = (of: (one: (typeof counts)[number]) => number) => counts.reduce((all, one) => all + of(one), 0);
  return [
    sum(({ valid }) => valid),
    sum(({ refused }) => Object.values(refused).reduce((all, count) => all + count, 0)),
  ];
}
