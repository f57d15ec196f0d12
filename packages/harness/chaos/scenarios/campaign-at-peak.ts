import type { Scenario } from '../run/scenario.ts';
import { Holder } from './holder.ts';
import { serverAt } from './parts.ts';

const keyspace = 'fleet';

/** Everybody is asked to renew at the peak; some holders die over it, the server at work dies, and somebody is in a hurry to finish. */
export const campaignAtPeak: Scenario = {
  name: 'campaign-at-peak',
  about:
    'A rotation campaign at three times the usual load: holders crash, the server at work is killed, and finishes come early.',
  sometimes: [
    'a holder crashed between the answer and its disk',
    'a holder lost the answer and was given the same secret again',
    'a finish was refused while the old version was needed',
    'the campaign went on after a server was killed',
    'every holder that lived has a new version',
  ],
  async play(run) {
    await run.addKeyspace(keyspace, 30);
    const keys = await run.issueMany(keyspace, run.isShort ? 30 : 150);
    const usual = run.rates;
    run.workload.setRates({ verifies: usual.verifies * 3, writes: usual.writes });
    const started = await serverAt(run, 0).api.call('POST', '/v1/campaigns', {
      kind: 'rotate',
      selector: { keyspace },
      confirm: keys.length,
      window_seconds: 3,
      canary: { hold_seconds: 1 },
    });
    if (started.status !== 201)
      throw new Error(`campaign: ${started.status} ${JSON.stringify(started.body)}`);
    const holders = keys.map((key) => new Holder(run, key));
    const living = Promise.all(holders.map((holder) => holder.live(run.isShort ? 40 : 90)));
    await run.seconds(2);
    const server = serverAt(run, 0);
    await run.fault({ name: `${server.name} killed in the middle`, affects: [server.name] }, async () => {
      await server.member.kill();
      await run.seconds(1);
      await server.member.start();
    });
    await living;
    const renewed = holders.filter(({ hasRenewed }) => hasRenewed).length;
    const crashed = holders.filter(({ hasCrashed }) => hasCrashed).length;
    run.note(`${renewed} of ${holders.length} holders renewed, ${crashed} crashed before they had stored it`);
    if (crashed > 0) run.reached('a holder crashed between the answer and its disk');
    if (holders.some(({ askedAgain }) => askedAgain))
      run.reached('a holder lost the answer and was given the same secret again');
    if (holders.some(({ finishRefused }) => finishRefused))
      run.reached('a finish was refused while the old version was needed');
    if (renewed === holders.length) {
      run.reached('every holder that lived has a new version');
      run.reached('the campaign went on after a server was killed');
    }
    for (const holder of holders) await holder.expectWorks();
    run.workload.setRates(usual);
  },
};
