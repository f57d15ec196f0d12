/** The cells of one CSV record (RFC 4180) that stands on one line; undefined if its quotes do not close. */
export function parseCsvLine(line: string): readonly string[] | undefined {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = line.charAt(at) === '"';
    const cell = quoted ? readQuoted(line, at) : readBare(line, at);
    if (cell === undefined) return undefined;
    cells.push(cell.text);
    if (cell.end === line.length) return cells;
    if (line.charAt(cell.end) !== ',') return undefined;
    at = cell.end + 1;
  }
}

interface Cell {
  readonly text: string;
  /** Where it ends: at a comma or at the end of the line. */
  readonly end: number;
}

function readBare(line: string, start: number): Cell {
  const comma = line.indexOf(',', start);
  const end = comma === -1 ? line.length : comma;
  return { text: line.slice(start, end), end };
}

function readQuoted(line: string, start: number): Cell | undefined {
  let text = '';
  for (let at = start + 1; at < line.length; at += 1) {
    if (line.charAt(at) !== '"') text += line.charAt(at);
    else if (line.charAt(at + 1) === '"') {
      text += '"';
      at += 1;
    } else return { text, end: at + 1 };
  }
  return undefined;
}
