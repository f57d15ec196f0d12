import { compromise } from '../../tokens/compromise.ts';
import { openTokenHouse } from '../../tokens/token-house.ts';
import { createTokenReader } from '../../tokens/token-reader.ts';
import { isAcceptance } from '../history/operation.ts';
import type { Run, Scenario } from '../run/scenario.ts';
import { serverAt } from './parts.ts';

/** A private key that signs tokens is known to somebody else, at four fifths of what the verifiers can take. */
export const signingKeyCompromise: Scenario = {
  name: 'signing-key-compromise',
  about:
    'The key that signs tokens is revoked at 80 % of the capacity that was measured just before: old ones end, new ones work.',
  // Tokens name who issued them, and on loopback that is one server with its port.
  stage: { servers: 1 },
  rates: { verifies: 20, writes: 4 },
  sometimes: ['the signing key was revoked under load', 'the load was four fifths of the capacity'],
  async play(run) {
    const house = await openTokenHouse(
      { api: serverAt(run, 0).api, server: serverAt(run, 0), nodes: run.stage.nodes },
      (phase, found) => run.note(`${phase}: ${found}`),
    );
    const capacity = await capacityOf(run, run.isShort ? 1 : 3);
    const perNode = Math.max(20, Math.floor((capacity * 0.8) / run.stage.nodes.length));
    run.note(
      `capacity ${Math.round(capacity)}/s at ${run.stage.nodes.length} nodes; load ${perNode}/s at each`,
    );
    run.reached('the load was four fifths of the capacity');
    const reader = createTokenReader({ issuer: house.issuer, jwksMaxAgeMs: 300_000, cooldownMs: 30_000 });
    await run.fault({ name: 'a signing key is known to others', affects: [] }, async () => {
      const options = {
        mintPerSecond: 10,
        loadPerSecond: perNode,
        seconds: run.isShort ? 3 : 12,
        random: run.random,
      };
      await compromise(house, reader, options).catch((error: unknown) => run.violate(String(error)));
      run.reached('the signing key was revoked under load');
    });
  },
};

/** Verifications a second at all nodes together, with this process asking: on this machine that is part of the price. */
async function capacityOf(run: Run, seconds: number): Promise<number> {
  const untilMs = performance.now() + seconds * 1000;
  let answered = 0;
  const lane = async (at: number): Promise<void> => {
    const presenter = run.workload.presenters[at % run.workload.presenters.length];
    while (performance.now() < untilMs) {
      const key = run.book.steady('usual');
      const said = key === undefined ? undefined : await presenter?.present(key, 1);
      if (said !== undefined && isAcceptance(said)) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 24 }, (_, at) => lane(at)));
  return answered / seconds;
}
