import { codeTokens, scanTokens, type Token } from '../source/scan-tokens.ts';

export interface ImportFound {
  /** As written; undefined when it is computed, so that no check can know where it leads. */
  readonly specifier: string | undefined;
  readonly line: number;
  /** `import type …` and `export type …`: gone before anything runs. */
  readonly isTypeOnly: boolean;
}

/**
 * Every way by which a module reaches another: `import … from`, `export … from`, a bare `import`, `import()` in
 * code and in types, and `require()`.
 */
export function readImports(source: string): readonly ImportFound[] {
  const tokens = codeTokens(scanTokens(source));
  const found: ImportFound[] = [];
  tokens.forEach((token, index) => {
    const specifier = specifierAfter(tokens, index);
    if (specifier !== undefined) {
      found.push({ specifier: specifier.text, line: token.line, isTypeOnly: isTypeClause(tokens, index) });
    } else if (isComputed(tokens, index)) {
      found.push({ specifier: undefined, line: token.line, isTypeOnly: false });
    }
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

/** Does the clause that ends at this `from` begin with `import type` or `export type`? */
function isTypeClause(tokens: readonly Token[], index: number): boolean {
  if (!isWord(tokens[index], 'from')) return false;
  const start = tokens.findLastIndex(
    (token, at) => at < index && (isWord(token, 'import') || isWord(token, 'export')),
  );
  const named = tokens[start + 2];
  return isWord(tokens[start + 1], 'type') && start + 2 < index && !isMark(named, ',');
}

function callsLoader(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index];
  const loader = isWord(token, 'import') || isWord(token, 'require');
  return loader && isMark(tokens[index + 1], '(');
}

function isComputed(tokens: readonly Token[], index: number): boolean {
  return !isMark(tokens[index - 1], '.') && callsLoader(tokens, index) && !declaresMethod(tokens, index);
}

/** A method may be called `import`: then a return type or a body follows its parentheses. */
function declaresMethod(tokens: readonly Token[], index: number): boolean {
  let depth = 0;
  for (let at = index + 1; at < tokens.length; at += 1) {
    if (isMark(tokens[at], '(')) depth += 1;
    if (isMark(tokens[at], ')')) depth -= 1;
    if (depth === 0) {
      const after = tokens[at + 1];
      return isMark(after, '{') || (isMark(after, ':') && !isMark(tokens[index - 1], '?'));
    }
  }
  return false;
}
