import { useCallback, useEffect, useState } from 'preact/hooks';
import { noticeError } from '../session/session.ts';

export type Load<Value> =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly why: string }
  | { readonly state: 'loaded'; readonly value: Value };

/** Asks when it is shown and whenever `keys` change; what comes too late is left aside. */
export function useLoad<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  keys: readonly unknown[],
): readonly [Load<Value>, () => void] {
  const [load, setLoad] = useState<Load<Value>>({ state: 'loading' });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    ask(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setLoad({ state: 'loaded', value });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setLoad({ state: 'failed', why: noticeError(error) });
      },
    );
    return () => controller.abort();
  }, [...keys, round]);
  return [load, useCallback(() => setRound((count) => count + 1), [])];
}
