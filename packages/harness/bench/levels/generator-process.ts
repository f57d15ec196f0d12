import { seededRandom } from './arrivals.ts';
import { type ClosedRunOptions, runClosed } from './closed-run.ts';
import { type OpenRunOptions, runOpen } from './open-run.ts';
import { Workload, type WorkloadPlan } from './workload.ts';

/* A generator in a process of its own, so that it shares its event loop with nobody. It ends with its parent. */

export type GeneratorOrder =
  | { readonly kind: 'plan'; readonly plan: WorkloadPlan; readonly seed: number }
  | { readonly kind: 'open'; readonly options: OpenRunOptions }
  | { readonly kind: 'closed'; readonly options: ClosedRunOptions };

let workload: Workload | undefined;

process.on('message', (order: GeneratorOrder) => {
  obey(order).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function obey(order: GeneratorOrder): Promise<unknown> {
  if (order.kind === 'plan') {
    workload = new Workload(order.plan, seededRandom(order.seed));
    return null;
  }
  if (workload === undefined) throw new Error('a generator has to be told first what to ask for');
  return order.kind === 'open' ? runOpen(order.options, workload) : runClosed(order.options, workload);
}
