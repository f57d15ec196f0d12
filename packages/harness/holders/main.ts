import { parseArgs } from 'node:util';
import { crashedRenewals } from './crashed-renewals.ts';
import { enrollmentStorm } from './enrollment-storm.ts';
import { startHouse } from './house.ts';
import { rotationOnEvidence } from './rotation-on-evidence.ts';

/*
 * npm run prove:holders -- [--exchanges 5000] [--uses 1000] [--renewals 200]
 *
 * What a holder of keys relies on, shown on a real server with two workers on PostgreSQL: an old version is not ended
 * while it is needed, a renewal that crashes leaves a key that works, and an enrollment key is never used too often. Ends
 * with 1 at the first broken promise.
 */

const { values } = parseArgs({
  options: {
    exchanges: { type: 'string', default: '5000' },
    uses: { type: 'string', default: '1000' },
    renewals: { type: 'string', default: '200' },
  },
});
const numberOf = (name: keyof typeof values): number => {
  const count = Number(values[name]);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  console.error(`--${name}: expected a whole number from 1, got ${values[name]}`);
  process.exit(2);
};
const sizes = {
  exchanges: numberOf('exchanges'),
  uses: numberOf('uses'),
  renewals: numberOf('renewals'),
};
const report = (phase: string, found: string): void => console.log(`${phase.padEnd(24)} ${found}`);

const house = await startHouse();
try {
  report('finish on evidence', await rotationOnEvidence(house));
  report('enrollment storm', await enrollmentStorm(house, sizes));
  report('crashed renewals', await crashedRenewals(house, sizes.renewals));
} catch (error) {
  console.error(`BROKEN  ${String(error)}`);
  process.exitCode = 1;
} finally {
  await house.stop();
}
