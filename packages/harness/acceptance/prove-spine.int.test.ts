import { describe, expect, it } from 'vitest';
import { proveSpine } from './prove-spine.ts';

/* The same proof as `npm run prove:spine`, smaller. */
describe.each(['embedded', 'postgres'] as const)('on the %s store', (store) => {
  it('keeps every acknowledged write through SIGKILL in the middle of a burst, and prints no secret', async () => {
    const steps: string[] = [];
    const proof = await proveSpine({
      store,
      keys: 1000,
      rotated: 20,
      revoked: 20,
      cycles: 2,
      writers: 16,
      random: Math.random,
      report: ({ step }) => steps.push(step),
    });
    expect(steps).toHaveLength(7);
    expect(proof.crash.acked).toBeGreaterThan(0);
    expect(proof.crash.inFlight).toBeGreaterThan(0);
    expect(proof).toMatchObject({ leaked: 0, exitCode: 0 });
  });
});
