import { nearNameEditsMax, nearNamesMax } from './limits.ts';

/** Of these names, the few that the given one may have been meant as, the nearest first. */
export function nearNames(given: string, names: Iterable<string>): readonly string[] {
  const near: { readonly name: string; readonly edits: number }[] = [];
  for (const name of names) {
    const edits = editsBetween(given, name);
    // A name of three letters is two edits away from every other one.
    const editsMax = Math.min(nearNameEditsMax, Math.floor(Math.min(given.length, name.length) / 3));
    if (edits <= editsMax || (given.length >= 3 && name.startsWith(`${given}-`))) near.push({ name, edits });
  }
  near.sort((a, b) => a.edits - b.edits || (a.name < b.name ? -1 : 1));
  return near.slice(0, nearNamesMax).map(({ name }) => name);
}

/** Letters to add, leave out, change or swap with the next (optimal string alignment). Names are bounded by the wire. */
function editsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > nearNameEditsMax) return nearNameEditsMax + 1;
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const edits = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1));
      next.push(isSwapped ? Math.min(edits, (before[j - 2] ?? 0) + 1) : edits);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
