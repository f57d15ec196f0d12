import { apiOf } from '../acceptance/api.ts';
import { Holders } from './holders.ts';
import type { FromHolders, ToHolders } from './remote-holders.ts';

/* The holders, in a process of their own: what the SDK costs them is not taken from the load. */

const tell = (message: FromHolders): void => void process.send?.(message);

process.once('message', (message: ToHolders) => void hold(message));
process.once('disconnect', () => process.exit(0));

async function hold({ url, managementKey, keyspace, keys, atOnce }: ToHolders): Promise<void> {
  const holders = new Holders({
    api: apiOf({ url }, managementKey),
    url,
    keyspace,
    keys,
    atOnce,
    onStored: (at, secret) => tell({ kind: 'stored', at, secret }),
    onRenewed: (ms) => tell({ kind: 'renewed', ms }),
    onProblem: (text) => tell({ kind: 'problem', text }),
  });
  await holders.run();
  tell({ kind: 'done' });
}
