import type { Scenario } from '../run/scenario.ts';

/** All verifiers start at once, cold, into four times the usual load. */
export const coldHerd: Scenario = {
  name: 'cold-herd',
  about:
    'Every verifier is killed, and all start cold at once into four times the usual load, with 20,000 keys to load.',
  stage: { nodes: 4 },
  sometimes: [
    'verifications were asked for while no verifier was there',
    'every verifier came back under four times the load',
  ],
  async play(run) {
    await run.issueMany('usual', run.isShort ? 2_000 : 20_000);
    const usual = run.rates;
    for (let turn = 0; turn < (run.isShort ? 1 : Math.round(2 * run.length)); turn += 1) {
      const since = run.history.size;
      run.workload.setRates({ verifies: usual.verifies * 4, writes: usual.writes * 2 });
      const nodes = run.stage.nodes.map(({ name }) => name);
      await run.fault(
        { name: 'all verifiers start cold', affects: nodes, recoverWithinMs: 30_000 },
        async () => {
          await Promise.all(run.stage.nodes.map(({ member }) => member.kill()));
          await run.seconds(0.5);
          await Promise.all(run.stage.nodes.map(({ member }) => member.start()));
        },
      );
      run.reached('every verifier came back under four times the load');
      run.reachedIf(
        'verifications were asked for while no verifier was there',
        since,
        ({ kind, status, code }) => kind === 'verify' && status === 0 && code === 'connection_lost',
      );
      await run.seconds(2);
      run.workload.setRates(usual);
    }
  },
};
