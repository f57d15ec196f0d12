/** A setting that is a list: `a,b` → `['a', 'b']`, each once; undefined where nothing was given. */
export function listOf(text: string | null): readonly string[] | undefined {
  return text === null || text === '' ? undefined : [...new Set(text.split(','))];
}
