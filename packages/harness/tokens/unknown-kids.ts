import { randomBytes } from 'node:crypto';
import { idFromUuidBytes } from '@keyswarm/core';
import { inParallel } from '../acceptance/api.ts';
import { VerifyConnection } from '../bound/verify-connection.ts';
import { deriveOne, issueOne, type TokenHouse } from './token-house.ts';
import type { TokenReader } from './token-reader.ts';

const connectionsPerNode = 8;

/**
 * Tokens that name signing keys which nobody knows, at every node and at the reader of the JWKS: what that makes them ask is
 * bounded by time and not by how many there are.
 */
export async function unknownKids(house: TokenHouse, reader: TokenReader, count: number): Promise<void> {
  const { cluster } = house;
  const parent = await issueOne(cluster.api, house.tokens, 0);
  const real = await deriveOne(house.issuer, parent.secret);
  const quietMs = 3_000;
  const restBefore = await leaseAsks(cluster.server.url);
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  const before = await leaseAsks(cluster.server.url);
  const restPerSecond = (before - restBefore) / (quietMs / 1000);
  const began = performance.now();
  const codes: Record<string, number> = {};
  await inParallel(cluster.nodes, cluster.nodes.length, async (node) => {
    const forged = Array.from({ length: count }, () => withUnknownKid(real));
    const connections = Array.from({ length: connectionsPerNode }, () => new VerifyConnection(node));
    await inParallel(connections, connectionsPerNode, async (connection) => {
      for (let token = forged.pop(); token !== undefined; token = forged.pop()) {
        const { code } = await connection.ask(token, house.tokens.name);
        codes[code] = (codes[code] ?? 0) + 1;
      }
      connection.close();
    });
  });
  const tookS = (performance.now() - began) / 1000;
  const asks = (await leaseAsks(cluster.server.url)) - before;
  const total = count * cluster.nodes.length;
  const accepted = codes.valid ?? 0;
  if (accepted > 0) throw new Error(`${accepted} forged tokens were accepted`);
  const perSecond = asks / tookS / cluster.nodes.length;
  if (asks > total / 2 || perSecond > asksPerSecondMax)
    throw new Error(`${total} unknown kids caused ${asks} lease asks in ${tookS.toFixed(1)} s`);
  house.report(
    'unknown kids at nodes',
    `${total} forged tokens in ${tookS.toFixed(1)} s: ${JSON.stringify(codes)}; ${asks} lease asks ` +
      `(${perSecond.toFixed(0)} a second and node; at rest ${(restPerSecond / cluster.nodes.length).toFixed(1)})`,
  );
  await atReader(house, reader, { real, count });
}

/** A node has one ask under way at a time for all who wait, so that a round trip bounds them; on a loopback, that is this. */
const asksPerSecondMax = 1_000;

async function atReader(
  house: TokenHouse,
  reader: TokenReader,
  { real, count }: { readonly real: string; readonly count: number },
): Promise<void> {
  await reader.verify(real, house.tokens.id);
  const before = reader.counts().jwksFetches;
  const began = performance.now();
  for (let at = 0; at < count; at += 1) {
    const said = await reader.verify(withUnknownKid(real), house.tokens.id);
    if (said !== 'ERR_JWKS_NO_MATCHING_KEY') throw new Error(`the reader says ${said} of an unknown kid`);
  }
  const fetches = reader.counts().jwksFetches - before;
  const tookS = (performance.now() - began) / 1000;
  const allowed = 1 + Math.ceil(tookS / (shortCooldownMs / 1000));
  if (fetches > allowed) throw new Error(`${count} unknown kids made the reader fetch ${fetches} times`);
  house.report(
    'unknown kids at a reader',
    `${count} forged tokens in ${tookS.toFixed(1)} s: ${fetches} fetches of the JWKS (of ${allowed} that its cooldown of ${shortCooldownMs} ms allows)`,
  );
}

/** Of the reader that is flooded, so that a flood of seconds shows more than that the first one had just passed. */
export const shortCooldownMs = 100;

function withUnknownKid(token: string): string {
  const [, ...rest] = token.split('.');
  const kid = idFromUuidBytes('sk', randomBytes(16));
  const header = Buffer.from(`{"alg":"EdDSA","typ":"at+jwt","kid":"${kid}"}`).toString('base64url');
  return [header, ...rest].join('.');
}

/** That the server has answered, of all who follow it. */
async function leaseAsks(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const name = 'keyswarm_http_request_duration_seconds_count';
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes('operation="askLease"'));
  if (lines.length === 0) throw new Error(`there is no ${name} of askLease`);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
