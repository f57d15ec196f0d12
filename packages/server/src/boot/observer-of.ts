import type { AppliedObserver } from '@keyswarm/verifier';

/** Several that hear of what is applied, in this order; the list may grow until the first row comes. */
export function observerOf(observers: readonly AppliedObserver[]): AppliedObserver {
  return {
    applied(stretch) {
      for (const observer of observers) observer.applied(stretch);
    },
    reloaded(applied) {
      for (const observer of observers) observer.reloaded(applied);
    },
  };
}
