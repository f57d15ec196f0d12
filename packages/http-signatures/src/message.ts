import { fieldLinesMax } from './limits.ts';
import { SignatureProblem } from './signature-problem.ts';

/** Every line of a field in the order received; none: an empty list. `name` is in lower case. */
export type FieldLines = (name: string) => readonly string[];

/**
 * A request as it stood on the wire. `url` is the target URI, absolute and without a fragment, letter by letter as it was
 * sent: nothing here normalises it. A verifier that did would accept, under a signature for `/b`, a request for `/a/../b`,
 * which whatever stands behind it may take for another thing.
 */
export interface RequestMessage {
  readonly method: string;
  readonly url: string;
  readonly fields: FieldLines;
}

export interface ResponseMessage {
  readonly status: number;
  readonly fields: FieldLines;
  /** What it answers, for components with `;req`. */
  readonly request?: RequestMessage | undefined;
}

export type Message = RequestMessage | ResponseMessage;

export function isResponse(message: Message): message is ResponseMessage {
  return 'status' in message;
}

const noLines: readonly string[] = Object.freeze([]);

/** From name and value, line by line, as HTTP/1.1 had them. Read once; a later change of the source changes nothing. */
export function fieldsOfPairs(pairs: Iterable<readonly [name: string, value: string]>): FieldLines {
  const lines = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    const known = lines.get(key);
    if (known === undefined) lines.set(key, [value]);
    else known.push(value);
  }
  return (name) => lines.get(name) ?? noLines;
}

/** From `IncomingMessage.rawHeaders`: names and values in turn. Nothing is dropped, as `headers` drops repeated fields. */
export function fieldsOfRawHeaders(raw: readonly string[]): FieldLines {
  return (name) => {
    let lines: string[] | undefined;
    for (let at = 0; at + 1 < raw.length; at += 2) {
      const given = raw[at] ?? '';
      if (given.length !== name.length || given.toLowerCase() !== name) continue;
      lines ??= [];
      lines.push(raw[at + 1] ?? '');
    }
    return lines ?? noLines;
  };
}

/** From a `Headers` object of fetch, which has joined the lines already. */
export function fieldsOfHeaders(headers: { get(name: string): string | null }): FieldLines {
  return (name) => {
    const value = headers.get(name);
    return value === null ? noLines : [value];
  };
}

/** The value of a field as RFC 9421 section 2.1 combines it; undefined: there is no such field. */
export function combinedValue(fields: FieldLines, name: string): string | undefined {
  const lines = fields(name);
  if (lines.length === 0) return undefined;
  if (lines.length > fieldLinesMax) throw new SignatureProblem('too_large', `${name} has too many lines`);
  return lines.map(trimmedLine).join(', ');
}

/** Without white space at its ends. Line folding is obsolete and whoever read the message has undone it; a line break refuses. */
export function trimmedLine(line: string): string {
  let from = 0;
  let to = line.length;
  while (from < to && isBlank(line.charCodeAt(from))) from += 1;
  while (to > from && isBlank(line.charCodeAt(to - 1))) to -= 1;
  return line.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
