/** Poles of symbolic edges: every entry that is not finite takes the finite one of the nearest code. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repairSingularities } from '../../src/passes/edge-functions.js';

/** The definition: codes by their distance, the lower of two first. */
const repaired = (column: ReadonlyArray<number>): ReadonlyArray<number> =>
  column.map((v, c) => {
    if (Number.isFinite(v)) return v;
    for (let d = 1; d < column.length; d++) {
      const near = [column[c - d], column[c + d]].find((w) => w !== undefined && Number.isFinite(w));
      if (near !== undefined) return near;
    }
    return 0;
  });

const entry = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);

describe('singularities', () => {
  it('take the finite entry of the nearest code, of two the lower, and 0 where there is none', () => {
    const table = fc.integer({ min: 1, max: 3 }).chain((outputs) =>
      fc.record({
        outputs: fc.constant(outputs),
        rows: fc.array(fc.array(entry, { minLength: outputs, maxLength: outputs }), {
          minLength: 1,
          maxLength: 12,
        }),
      }),
    );
    fc.assert(
      fc.property(table, ({ outputs, rows }) => {
        const data = Float32Array.from([99, ...rows.flat(), Number.NaN]);
        repairSingularities(data, 1, rows.length, outputs);
        for (let o = 0; o < outputs; o++) {
          const column = rows.map((_, c) => data[1 + c * outputs + o]);
          expect(column).toEqual(repaired(rows.map((row) => row[o]!)));
        }
        // What stands before and behind is not touched.
        expect([data[0], data.at(-1)]).toEqual([99, Number.NaN]);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('are found in time in proportion to the codes: half of 65,536 have no value', () => {
    const [levels, outputs] = [2 ** 16, 5];
    const data = Float32Array.from({ length: levels * outputs }, (_, k) =>
      k < (levels * outputs) / 2 ? Number.NaN : k,
    );
    const started = performance.now();
    repairSingularities(data, 0, levels, outputs);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(data.slice(0, outputs)).toEqual(data.slice((levels / 2) * outputs, (levels / 2 + 1) * outputs));
  });
});
