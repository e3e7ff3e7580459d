/**
 * Solving symmetric positive definite systems by Cholesky factorisation, A = L L^T, in f64.
 *
 * Right-looking and blocked: the panel of a block of columns is copied to rows that lie side by side, and the rest
 * of the matrix is updated in tiles of 4 x 4, so that a value that was read takes part in four products.
 */

const BLOCK = 64;

/**
 * Solves A X = B in place. `a` is [n, n] row-major, of which the lower triangle is read and becomes L; `b` is [n, m] and
 * becomes X. False, with both in an undefined state, where A is not positive definite.
 */
export const solvePositiveDefinite = (a: Float64Array, b: Float64Array, n: number, m: number): boolean => {
  if (!factor(a, n)) return false;
  substituteForward(a, b, n, m);
  substituteBackward(a, b, n, m);
  return true;
};

const factor = (a: Float64Array, n: number): boolean => {
  const panel = new Float64Array(n * BLOCK);
  for (let k0 = 0; k0 < n; k0 += BLOCK) {
    const width = Math.min(BLOCK, n - k0);
    for (let i = k0; i < n; i++) if (!factorRow(a, n, i, k0, Math.min(i, k0 + width - 1))) return false;
    const below = n - k0 - width;
    for (let i = 0; i < below; i++) {
      const from = (k0 + width + i) * n + k0;
      for (let k = 0; k < width; k++) panel[i * BLOCK + k] = a[from + k]!;
    }
    subtractProducts(a, n, k0 + width, panel, width);
  }
  return true;
};

/** Columns k0 to `last` of row i, from the finished rows above; the diagonal element where i is among them. */
const factorRow = (a: Float64Array, n: number, i: number, k0: number, last: number): boolean => {
  for (let j = k0; j <= last; j++) {
    let sum = a[i * n + j]!;
    for (let k = k0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
    if (j < i) {
      a[i * n + j] = sum / a[j * n + j]!;
      continue;
    }
    // Written so that NaN is refused too.
    if (!(sum > 0)) return false;
    a[i * n + i] = Math.sqrt(sum);
  }
  return true;
};

/** a[first + i, first + j] -= panel[i] . panel[j] for j <= i. */
const subtractProducts = (
  a: Float64Array,
  n: number,
  first: number,
  panel: Float64Array,
  width: number,
): void => {
  const rows = n - first;
  const tiled = rows - (rows % 4);
  for (let i = 0; i < tiled; i += 4) {
    // The tile on the diagonal also writes above it, where nothing is ever read.
    for (let j = 0; j <= i; j += 4) subtractTile(a, n, first, panel, width, i, j);
  }
  for (let i = tiled; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += panel[i * BLOCK + k]! * panel[j * BLOCK + k]!;
      a[(first + i) * n + first + j]! -= sum;
    }
  }
};

const subtractTile = (
  a: Float64Array,
  n: number,
  first: number,
  panel: Float64Array,
  width: number,
  i: number,
  j: number,
): void => {
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [s20, s21, s22, s23, s30, s31, s32, s33] = [0, 0, 0, 0, 0, 0, 0, 0];
  let p = i * BLOCK;
  let q = j * BLOCK;
  for (let k = 0; k < width; k++, p++, q++) {
    const x0 = panel[p]!;
    const x1 = panel[p + BLOCK]!;
    const x2 = panel[p + 2 * BLOCK]!;
    const x3 = panel[p + 3 * BLOCK]!;
    const y0 = panel[q]!;
    const y1 = panel[q + BLOCK]!;
    const y2 = panel[q + 2 * BLOCK]!;
    const y3 = panel[q + 3 * BLOCK]!;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
  }
  let at = (first + i) * n + first + j;
  a[at]! -= s00;
  a[at + 1]! -= s01;
  a[at + 2]! -= s02;
  a[at + 3]! -= s03;
  at += n;
  a[at]! -= s10;
  a[at + 1]! -= s11;
  a[at + 2]! -= s12;
  a[at + 3]! -= s13;
  at += n;
  a[at]! -= s20;
  a[at + 1]! -= s21;
  a[at + 2]! -= s22;
  a[at + 3]! -= s23;
  at += n;
  a[at]! -= s30;
  a[at + 1]! -= s31;
  a[at + 2]! -= s32;
  a[at + 3]! -= s33;
};

/** L Y = B. */
const substituteForward = (l: Float64Array, b: Float64Array, n: number, m: number): void => {
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) {
      const factor = l[i * n + k]!;
      for (let o = 0; o < m; o++) b[i * m + o]! -= factor * b[k * m + o]!;
    }
    const pivot = l[i * n + i]!;
    for (let o = 0; o < m; o++) b[i * m + o]! /= pivot;
  }
};

/** L^T X = Y, from the last row up: what a row is known to be is taken out of those above it, along a row of L. */
const substituteBackward = (l: Float64Array, b: Float64Array, n: number, m: number): void => {
  for (let i = n - 1; i >= 0; i--) {
    const pivot = l[i * n + i]!;
    for (let o = 0; o < m; o++) b[i * m + o]! /= pivot;
    for (let k = 0; k < i; k++) {
      const factor = l[i * n + k]!;
      for (let o = 0; o < m; o++) b[k * m + o]! -= factor * b[i * m + o]!;
    }
  }
};
