import { useState } from 'preact/hooks';
import { noticeError } from '../session/session.ts';

/** One thing that is being done by a button: never twice at once, and its failure is said where the button is. */
export function useAction() {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const run = async (act: () => Promise<void>): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await act();
    } catch (error) {
      setProblem(noticeError(error));
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, run };
}
