/**
 * One at a time, and one for all who ask before it is begun: what anybody is given was made after they asked. For what costs more to make
 * than to give, and is asked for by anybody.
 */
export function madeForAll<T>(make: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    next = undefined;
    return make();
  };
  return () => {
    next ??= last.then(begin, begin);
    last = next;
    return next;
  };
}
