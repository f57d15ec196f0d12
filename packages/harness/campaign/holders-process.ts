import { Holders } from './holders.ts';
import type { FromHolders, ToHolders } from './remote-holders.ts';

/* The holders, in a process of their own: what the SDK costs them is not taken from the load. */

const tell = (message: FromHolders): void => void process.send?.(message);
let holders: Holders | undefined;

process.on('message', (message: ToHolders) => {
  if (message.kind === 'asked') void holders?.renew(message.at, message.renewAfter);
  else holders = hold(message);
});
process.once('disconnect', () => process.exit(0));

function hold({ url, keys, atOnce }: ToHolders & { readonly kind: 'hold' }): Holders {
  return new Holders({
    url,
    keys,
    atOnce,
    onStored: (at, secret) => tell({ kind: 'stored', at, secret }),
    onRenewed: (ms) => tell({ kind: 'renewed', ms }),
    onProblem: (text) => tell({ kind: 'problem', text }),
  });
}
