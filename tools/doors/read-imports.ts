import { codeTokens, scanTokens, type Token } from '../source/scan-tokens.ts';

export interface ImportFound {
  /** As written; undefined when it is computed, so that no check can know where it leads. */
  readonly specifier: string | undefined;
  readonly line: number;
}

/**
 * Every way by which a module reaches another: `import … from`, `export … from`, a bare `import`, `import()`
 * in
 * code and in types, and `require()`. Type-only imports count: a room that names
 * a driver's types already knows the driver.
 */
export function readImports(source: string): readonly ImportFound[] {
  const tokens = codeTokens(scanTokens(source));
  const found: ImportFound[] = [];
  tokens.forEach((token, index) => {
    const specifier = specifierAfter(tokens, index);
    if (specifier !== undefined) found.push({ specifier: specifier.text, line: token.line });
    else if (isComputed(tokens, index)) found.push({ specifier: undefined, line: token.line });
  });
  return found;
}

const isWord = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'word' && token.text === text;
const isMark = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'mark' && token.text === text;

function specifierAfter(tokens: readonly Token[], index: number): Token | undefined {
  const token = tokens[index];
  const next = tokens[index + 1];
  if (isWord(token, 'from') && next?.kind === 'string' && followsClause(tokens, index)) return next;
  if (isMark(tokens[index - 1], '.')) return undefined;
  if (isWord(token, 'import') && next?.kind === 'string') return next;
  if (!callsLoader(tokens, index)) return undefined;
  const argument = tokens[index + 2];
  const after = tokens[index + 3];
  const whole = isMark(after, ')') || isMark(after, ',');
  return argument?.kind === 'string' && whole ? argument : undefined;
}

/** `from` is a word like any other: it names a module only after a name, `}` or `*` that ends a clause. */
function followsClause(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1];
  return before?.kind === 'word' || isMark(before, '}') || isMark(before, '*');
}

function callsLoader(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index];
  const loader = isWord(token, 'import') || isWord(token, 'require');
  return loader && isMark(tokens[index + 1], '(');
}

function isComputed(tokens: readonly Token[], index: number): boolean {
  if (isMark(tokens[index - 1], '.')) return false;
  return callsLoader(tokens, index);
}
