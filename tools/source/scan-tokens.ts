/*
 * Cuts TypeScript into words, strings, comments and marks, so that a check on the source can tell code from a
 * comment or a string that only speaks of it. It knows no grammar; what it has to know is where a string, a
 * template, a comment and a regular expression end. Rejected: the compiler's own parser, because the native
 * compiler ships no API that is promised to last, and a second parser is a dependency for forty lines of work.
 */

export type TokenKind = 'word' | 'string' | 'template' | 'number' | 'regex' | 'comment' | 'mark';

export interface Token {
  readonly kind: TokenKind;
  /** Of a string: what stands between the quotes, as written. Of everything else: the source text. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** After these words a slash begins a regular expression; after any other word it divides. */
const wordsBeforeRegex = new Set(
  'return typeof case in of do else void delete throw new await yield instanceof'.split(' '),
);

interface Cursor {
  readonly source: string;
  readonly tokens: Token[];
  at: number;
  line: number;
}

export function scanTokens(source: string): readonly Token[] {
  const cursor: Cursor = { source, tokens: [], at: 0, line: 1 };
  scanUntilBrace(cursor, false);
  return cursor.tokens;
}

/** The tokens that are code: neither comments nor the text of strings. */
export function codeTokens(tokens: readonly Token[]): readonly Token[] {
  return tokens.filter((token) => token.kind !== 'comment');
}

function push(cursor: Cursor, kind: TokenKind, end: number, text: string | undefined): void {
  const taken = cursor.source.slice(cursor.at, end);
  cursor.tokens.push({ kind, text: text ?? taken, line: cursor.line });
  for (const character of taken) if (character === '\n') cursor.line += 1;
  cursor.at = end;
}

/** Scans to the end, or to the brace that closes the `${` of a template. */
function scanUntilBrace(cursor: Cursor, inTemplate: boolean): void {
  let depth = 0;
  while (cursor.at < cursor.source.length) {
    const character = cursor.source.charAt(cursor.at);
    if (character === '\n') cursor.line += 1;
    if (/\s/.test(character)) {
      cursor.at += 1;
      continue;
    }
    if (character === '{') depth += 1;
    if (character === '}') {
      if (inTemplate && depth === 0) return;
      depth -= 1;
    }
    scanOne(cursor, character);
  }
}

const wordPattern = /[\p{ID_Start}$_#@][\p{ID_Continue}$]*/uy;
const numberPattern = /\d[\w.]*/y;

function scanOne(cursor: Cursor, character: string): void {
  if (character === '`') scanTemplate(cursor);
  else {
    const { kind, end, text } = nextToken(cursor, character);
    push(cursor, kind, end, text);
  }
}

interface NextToken {
  readonly kind: TokenKind;
  readonly end: number;
  readonly text?: string | undefined;
}

function nextToken(cursor: Cursor, character: string): NextToken {
  const { source, at } = cursor;
  const next = source.charAt(at + 1);
  if (character === '/' && next === '/') return { kind: 'comment', end: endOf(cursor, '\n', 0) };
  if (character === '/' && next === '*') return { kind: 'comment', end: endOf(cursor, '*/', 2) };
  if (character === '#' && next === '!' && at === 0) return { kind: 'comment', end: endOf(cursor, '\n', 0) };
  if (character === "'" || character === '"') {
    const end = endOfQuoted(source, at, character);
    return { kind: 'string', end, text: source.slice(at + 1, end - 1) };
  }
  if (character === '/' && regexMayStand(cursor.tokens))
    return { kind: 'regex', end: endOfRegex(source, at) };
  wordPattern.lastIndex = at;
  if (wordPattern.test(source)) return { kind: 'word', end: wordPattern.lastIndex };
  numberPattern.lastIndex = at;
  if (numberPattern.test(source)) return { kind: 'number', end: numberPattern.lastIndex };
  return { kind: 'mark', end: at + 1 };
}

function endOf(cursor: Cursor, mark: string, extra: number): number {
  const found = cursor.source.indexOf(mark, cursor.at + extra);
  return found === -1 ? cursor.source.length : found + extra;
}

function endOfQuoted(source: string, start: number, quote: string): number {
  for (let at = start + 1; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '\\') at += 1;
    else if (character === quote || character === '\n') return at + 1;
  }
  return source.length;
}

function endOfRegex(source: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '\\') at += 1;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '\n' || (character === '/' && !inClass)) return at + 1;
  }
  return source.length;
}

/** Emits the literal pieces as `template` tokens and the code between them as what it is. */
function scanTemplate(cursor: Cursor): void {
  let end = cursor.at + 1;
  while (end < cursor.source.length) {
    const character = cursor.source.charAt(end);
    if (character === '`') break;
    if (character === '\\') end += 2;
    else if (character === '$' && cursor.source.charAt(end + 1) === '{') {
      push(cursor, 'template', end + 2, undefined);
      scanUntilBrace(cursor, true);
      end = cursor.at + 1;
    } else end += 1;
  }
  push(cursor, 'template', Math.min(end + 1, cursor.source.length), undefined);
}

function regexMayStand(tokens: readonly Token[]): boolean {
  const before = tokens.findLast((token) => token.kind !== 'comment');
  if (before === undefined) return true;
  if (before.kind === 'word') return wordsBeforeRegex.has(before.text);
  return before.kind === 'mark' && !')]}'.includes(before.text);
}
