import { parseArgs } from 'node:util';
import { startCluster } from '../bound/cluster.ts';
import { seeded } from '../bound/seeded.ts';
import { compromise } from './compromise.ts';
import { revokedParents } from './revoked-parents.ts';
import { openTokenHouse } from './token-house.ts';
import { createTokenReader } from './token-reader.ts';
import { shortCooldownMs, unknownKids } from './unknown-kids.ts';

/*
 * npm run prove:tokens -- [--parents 300] [--per-second 20] [--mint 20] [--load 50] [--seconds 15] [--forged 2000] [--nodes 4]
 *                         [--seed N]
 *
 * One server on PostgreSQL, verify-only nodes, and a reader of tokens that knows the JWKS and the status list alone. Parents of
 * derived tokens are revoked; a signing key is revoked under load; unknown signing keys are named by the thousand. Ends with 1
 * at the first broken promise.
 */

const { values } = parseArgs({
  options: {
    parents: { type: 'string', default: '300' },
    'per-second': { type: 'string', default: '20' },
    mint: { type: 'string', default: '20' },
    load: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '15' },
    forged: { type: 'string', default: '2000' },
    nodes: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
  },
});
const numberOf = (name: keyof typeof values): number => {
  const count = Number(values[name]);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  console.error(`--${name}: expected a whole number from 1, got ${values[name]}`);
  process.exit(2);
};
const options = {
  parents: numberOf('parents'),
  perSecond: numberOf('per-second'),
  mintPerSecond: numberOf('mint'),
  loadPerSecond: numberOf('load'),
  seconds: numberOf('seconds'),
  forged: numberOf('forged'),
  nodes: numberOf('nodes'),
};
const random = seeded(numberOf('seed'));
const report = (phase: string, found: string): void => console.log(`${phase.padEnd(24)} ${found}`);

const cluster = await startCluster({ nodes: options.nodes });
try {
  const house = await openTokenHouse(cluster, report);
  await cluster.startNodes();
  const readerOf = (cooldownMs = 30_000) =>
    createTokenReader({ issuer: house.issuer, jwksMaxAgeMs: 300_000, cooldownMs });
  await revokedParents(house, readerOf(), { ...options, random });
  await compromise(house, readerOf(), { ...options, random });
  await unknownKids(house, readerOf(shortCooldownMs), options.forged);
} catch (error) {
  console.error(`BROKEN  ${String(error)}`);
  process.exitCode = 1;
} finally {
  await cluster.stop();
}
