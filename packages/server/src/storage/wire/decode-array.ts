/** An array literal of PostgreSQL, `{a,"b,c",NULL,{…}}`, of any depth, with bounds (`[0:1]={…}`) passed over. */
export function decodeArray(text: string, decode: (element: string) => unknown): unknown[] {
  const start = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  return readArray(text, start, decode).values;
}

interface Read {
  readonly values: unknown[];
  /** One past the closing brace. */
  readonly end: number;
}

function readArray(text: string, start: number, decode: (element: string) => unknown): Read {
  const values: unknown[] = [];
  let at = start + 1;
  while (at < text.length) {
    const mark = text[at];
    if (mark === '}') return { values, end: at + 1 };
    if (mark === ',') {
      at += 1;
    } else if (mark === '{') {
      const inner = readArray(text, at, decode);
      values.push(inner.values);
      at = inner.end;
    } else if (mark === '"') {
      const { element, end } = readQuoted(text, at + 1);
      values.push(decode(element));
      at = end;
    } else {
      const end = endOfBare(text, at);
      const element = text.slice(at, end);
      values.push(element === 'NULL' ? null : decode(element));
      at = end;
    }
  }
  throw new TypeError('an array literal has no end');
}

function readQuoted(text: string, start: number): { readonly element: string; readonly end: number } {
  let element = '';
  let from = start;
  for (let at = start; at < text.length; at += 1) {
    const mark = text[at];
    if (mark === '"') return { element: element + text.slice(from, at), end: at + 1 };
    if (mark === '\\') {
      element += text.slice(from, at);
      from = at + 1;
      at += 1;
    }
  }
  throw new TypeError('a quoted element has no end');
}

function endOfBare(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== ',' && text[at] !== '}') at += 1;
  return at;
}
