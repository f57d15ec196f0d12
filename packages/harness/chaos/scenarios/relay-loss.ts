import type { Run, Scenario } from '../run/scenario.ts';
import { acceptedKey, serverAt, untilRefused } from './parts.ts';

/** The servers that verifiers hang on are killed, stand still with healthy sockets, and are restarted one after the other. */
export const relayLoss: Scenario = {
  name: 'relay-loss',
  about:
    'A server dies, the other stands still with its sockets open, and both are restarted one after the other, under load.',
  sometimes: [
    'a server was killed with writes under way',
    'a revocation reached every verifier while a server was dead',
    'a revocation reached every verifier while a server stood still',
    'a server drained and came back',
  ],
  async play(run) {
    const [first, second] = [serverAt(run, 0), serverAt(run, 1)];
    const since = run.history.size;
    await run.fault({ name: `${first.name} killed`, affects: [first.name] }, async () => {
      await first.member.kill();
      await expectSpread(run, 'a revocation reached every verifier while a server was dead');
      await run.seconds(run.isShort ? 0.5 : 3);
      await first.member.start();
    });
    run.reachedIf(
      'a server was killed with writes under way',
      since,
      ({ kind, outcome }) => kind !== 'verify' && outcome === 'unknown',
    );
    await run.fault(
      { name: `${second.name} stands still, sockets open`, affects: [second.name] },
      async () => {
        second.member.signal('SIGSTOP');
        try {
          await expectSpread(run, 'a revocation reached every verifier while a server stood still');
          await run.seconds(run.isShort ? 2 : 6);
        } finally {
          second.member.signal('SIGCONT');
        }
      },
    );
    for (const server of [first, second]) {
      await run.fault({ name: `${server.name} restarted in order`, affects: [server.name] }, async () => {
        await server.member.stop();
        await server.member.start();
      });
      run.reached('a server drained and came back');
    }
  },
};

/**
 * Verifiers that hung on it go over to the other one, within the strict lease or stale until they have. Some clients give a change up
 * when the server that they sent it to does not answer: then it is another one's turn.
 */
async function expectSpread(run: Run, target: string): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    const key = await acceptedKey(run, 'usual');
    if (!(await run.clerk.revoke(key))) continue;
    const said = await Promise.all(run.stage.nodes.map(({ name }) => untilRefused(run, key, name, 15_000)));
    if (said.every((code) => code === 'revoked')) return run.reached(target);
    run.note(`15 s after a revocation with a server away: ${said.join(', ')}`);
  }
}
