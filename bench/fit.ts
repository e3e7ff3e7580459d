/** Least squares with coefficients that are not negative: a count never makes a kernel faster. */

export interface Sample {
  readonly counts: ReadonlyArray<number>;
  readonly value: number;
}

/**
 * Minimises the sum of squared relative errors, by coordinate descent: each step solves for one coefficient exactly.
 * The problem is convex and has a handful of unknowns, so that a fixed number of sweeps is enough.
 */
export const fitNonNegative = (samples: ReadonlyArray<Sample>): ReadonlyArray<number> => {
  const columns = samples[0]?.counts.length ?? 0;
  // Relative: every row is divided by its value, and all values become 1.
  const rows = samples.map(({ counts, value }) => counts.map((c) => c / value));
  const squares = Array.from({ length: columns }, (_, k) => rows.reduce((n, r) => n + r[k]! ** 2, 0));
  const x = new Float64Array(columns);
  const residuals = Float64Array.from(rows, () => 1);
  for (let sweep = 0; sweep < 20000; sweep++) {
    for (let k = 0; k < columns; k++) {
      if (squares[k] === 0) continue;
      let gradient = 0;
      for (let n = 0; n < rows.length; n++) gradient += rows[n]![k]! * residuals[n]!;
      const next = Math.max(0, x[k]! + gradient / squares[k]!);
      const change = next - x[k]!;
      if (change === 0) continue;
      for (let n = 0; n < rows.length; n++) residuals[n]! -= change * rows[n]![k]!;
      x[k] = next;
    }
  }
  return [...x];
};
