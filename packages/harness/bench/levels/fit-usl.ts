/*
 * Gunther's universal scalability law: with N requests under way, X(N) = λN / (1 + σ(N − 1) + κN(N − 1)). λ is what one
 * alone gets, σ the part that can't be shared, κ what they cost each other. Written as N/X = a + b(N − 1) + cN(N − 1) it
 * is linear, and is solved by least squares of the relative error. A κ (or σ) below nought has no meaning: it is then
 * held at nought and the rest is solved again.
 */

export interface UslPoint {
  readonly underWay: number;
  readonly perSecond: number;
}

export interface UslFit {
  readonly lambda: number;
  readonly sigma: number;
  readonly kappa: number;
  /** Of the throughputs; 1 is a perfect fit. */
  readonly rSquared: number;
  /** Where the curve is highest; null where it only ever rises. */
  readonly peakUnderWay: number | null;
}

export const uslPointsMin = 5;

/** Undefined with too few points, or points that no such curve goes through. */
export function fitUsl(points: readonly UslPoint[]): UslFit | undefined {
  const fit = points.filter(({ underWay, perSecond }) => underWay >= 1 && perSecond > 0);
  if (fit.length < uslPointsMin) return undefined;
  for (const columns of [[0, 1, 2], [0, 1], [0, 2], [0]]) {
    const solved = solve(fit, columns);
    if (solved === undefined) continue;
    const [a = 0, b = 0, c = 0] = solved;
    if (a > 0 && b >= 0 && c >= 0) return describe(fit, { a, b, c });
  }
  return undefined;
}

export function uslAt({ lambda, sigma, kappa }: UslFit, underWay: number): number {
  return (lambda * underWay) / (1 + sigma * (underWay - 1) + kappa * underWay * (underWay - 1));
}

function describe(
  points: readonly UslPoint[],
  { a, b, c }: { readonly a: number; readonly b: number; readonly c: number },
): UslFit {
  const sigma = b / a;
  const kappa = c / a;
  const curve = { lambda: 1 / a, sigma, kappa, rSquared: 0, peakUnderWay: null };
  const mean = points.reduce((sum, { perSecond }) => sum + perSecond, 0) / points.length;
  const of = (value: (point: UslPoint) => number): number =>
    points.reduce((sum, point) => sum + value(point) ** 2, 0);
  const left = of(({ underWay, perSecond }) => perSecond - uslAt(curve, underWay));
  const whole = of(({ perSecond }) => perSecond - mean);
  const peakUnderWay = kappa > 0 ? Math.sqrt(Math.max(0, 1 - sigma) / kappa) : null;
  return { ...curve, rSquared: whole === 0 ? 1 : 1 - left / whole, peakUnderWay };
}

/** Coefficients of all three columns; those that take no part are 0. */
function solve(points: readonly UslPoint[], columns: readonly number[]): readonly number[] | undefined {
  const size = columns.length;
  const matrix = Array.from({ length: size }, () => new Array<number>(size + 1).fill(0));
  for (const { underWay: n, perSecond } of points) {
    const y = n / perSecond;
    const basis = [1, n - 1, n * (n - 1)];
    const row = columns.map((column) => (basis[column] ?? 0) / y);
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j < size; j += 1) add(matrix, i, j, (row[i] ?? 0) * (row[j] ?? 0));
      add(matrix, i, size, row[i] ?? 0);
    }
  }
  const found = eliminate(matrix);
  if (found === undefined) return undefined;
  const all = [0, 0, 0];
  for (const [index, column] of columns.entries()) all[column] = found[index] ?? 0;
  return all;
}

function add(matrix: number[][], row: number, column: number, value: number): void {
  const cells = matrix[row];
  if (cells !== undefined) cells[column] = (cells[column] ?? 0) + value;
}

/** Gauss–Jordan with pivots, of an augmented matrix. */
function eliminate(matrix: number[][]): readonly number[] | undefined {
  const size = matrix.length;
  const at = (row: number, column: number): number => matrix[row]?.[column] ?? 0;
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) {
      if (Math.abs(at(row, column)) > Math.abs(at(pivot, column))) pivot = row;
    }
    const chosen = matrix[pivot];
    const other = matrix[column];
    if (chosen === undefined || other === undefined || Math.abs(chosen[column] ?? 0) < 1e-12)
      return undefined;
    matrix[pivot] = other;
    matrix[column] = chosen;
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue;
      const factor = at(row, column) / at(column, column);
      for (let cell = column; cell <= size; cell += 1) add(matrix, row, cell, -factor * at(column, cell));
    }
  }
  return Array.from({ length: size }, (_, row) => at(row, size) / at(row, row));
}
