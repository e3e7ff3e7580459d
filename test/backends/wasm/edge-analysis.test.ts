import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyseEdges, edgeTableOf, groupInputs } from '../../../src/backends/wasm/kernels/edge/analysis.js';
import { constant } from '../../../src/ir/constant.js';
import { int, uint } from '../../../src/ir/element.js';
import type { TableEdgeAttrs } from '../../../src/ir/ops/table-edge.js';
import { valueType } from '../../../src/ir/types.js';
import { messageOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, tableBuilder, uniform } from './random.js';
import { emit, finish } from './support.js';

const edges = (
  seed: number,
  inputs: number,
  levels: number,
  outputs: number,
  bits: number,
): TableEdgeAttrs => {
  const op = edgeOp(randomOf(seed), inputs, levels, outputs, bits, {
    narrow: seed % 2 === 0,
    shared: seed % 3 === 0,
  });
  if (op.kind !== 'table.edge') throw new Error('edge expected');
  return op.attrs;
};

describe('groups of inputs', () => {
  it('hold every input with a function that is not constant once, and never exceed their capacity', () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (seed, inputs, outputs) => {
          const a = analyseEdges(edgeTableOf(edges(seed, inputs, 5, outputs, 2 + (seed % 7)), inputs, 5));
          const g = groupInputs(a, 255);
          const all = [...g.quads, ...g.pairs, ...g.singles].sort((x, y) => x - y);
          const live = Array.from({ length: inputs }, (_, i) => i).filter(
            (i) => a.widest[a.table.slabOf(i)]! > 0,
          );
          expect(all).toEqual(live);
          for (const [members, size] of [
            [g.quads, 4],
            [g.pairs, 2],
            [g.singles, 1],
          ] as const) {
            expect(members.length % size).toBe(0);
            for (let k = 0; k < members.length; k += size) {
              for (let o = 0; o < outputs; o++) {
                const sum = members
                  .slice(k, k + size)
                  .reduce((n, i) => n + a.span[a.table.slabOf(i) * outputs + o]!, 0);
                expect(sum).toBeLessThanOrEqual(255);
              }
            }
          }
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  it('are refused where entries span more than i32, with the span told right', async () => {
    const data = Int32Array.of(-1_500_000_000, 1_500_000_000);
    const attrs: TableEdgeAttrs = {
      table: constant(int(32), [1, 2, 1], data),
      scale: 1,
      acc: 32,
      lo: data[0]!,
      hi: data[1]!,
    };
    const analysis = analyseEdges(edgeTableOf(attrs, 1, 2));
    expect([analysis.span[0], analysis.widest[0]]).toEqual([3e9, 3e9]);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(1), [1], uniform(2)));
    const sums = b.add('sums', { kind: 'table.edge', attrs }, [x]);
    expect(messageOf(await emit(finish(b, sums)))).toMatch(/K0602.*more than 16 bits/);
  });

  it('bounds are reached: the analysis is exact for independent codes', () => {
    const t = edges(4, 3, 4, 2, 6);
    const a = analyseEdges(edgeTableOf(t, 3, 4));
    let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let code = 0; code < 64; code++) {
      for (let o = 0; o < 2; o++) {
        let sum = t.bias?.data[o] ?? 0;
        for (let i = 0; i < 3; i++)
          sum += t.table.data[(a.table.slabOf(i) * 4 + ((code >> (2 * i)) & 3)) * 2 + o]!;
        lo = Math.min(lo, sum);
        hi = Math.max(hi, sum);
      }
    }
    expect([a.lo, a.hi]).toEqual([lo, hi]);
  });
});
