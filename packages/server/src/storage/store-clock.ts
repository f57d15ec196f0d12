import type { Queryable } from './store.ts';
import type { StoreClock } from './store-clock-port.ts';

const readNowStatement = {
  name: 'read_now',
  text: 'select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms',
};

export function createStoreClock(store: Queryable): StoreClock {
  return {
    async nowMs() {
      const [row] = await store.query<{ readonly now_ms: number }>(readNowStatement);
      if (row === undefined) throw new Error('the store gave no time');
      return row.now_ms;
    },
  };
}
