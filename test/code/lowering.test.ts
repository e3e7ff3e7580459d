/** What ops are lowered to means what the interpreter says, which does not use it. */
import { describe, expect, it } from 'vitest';
import { evaluateExpr } from '../../src/code/evaluate.js';
import { interpret } from '../../src/ir/interpret.js';
import { lowerOp, OPS } from '../../src/ir/ops/index.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { channelIndex } from '../../src/ir/types.js';
import { rightOf } from '../support/checked.js';
import { randomGraph, randomTensor } from '../support/graphs.js';
import { randomOf } from '../support/random.js';

const lowered = Object.values(OPS).filter(({ lower }) => lower !== undefined);

describe('lowered ops', () => {
  it('are the elementwise ones of table graphs', () => {
    expect(lowered.map(({ kind }) => kind)).toEqual([
      'bucketize',
      'dequantize',
      'quantize',
      'recode',
      'requantize',
      'table.sum',
    ]);
  });

  it('are what the interpreter computes, element by element', () => {
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 400; seed++) {
      const graph = randomGraph('table', seed, 8);
      const r = randomOf(seed);
      const values = new Map<string, Tensor>();
      const inputs = graph.inputs.map(({ name, type }) => {
        const tensor = randomTensor(r, type, 3);
        values.set(name, tensor);
        return tensor;
      });
      rightOf(interpret(graph, inputs, (name, value) => values.set(name, value)));
      for (const { name, op, operands, type } of graph.nodes) {
        const of = operands.map((o) => values.get(o)!);
        const code = lowerOp(
          op,
          of.map((t) => t.type),
          type,
        );
        if (code === undefined) continue;
        const channelOf = channelIndex(type);
        const { value, scale } = code;
        const made = values.get(name)!.data.map((_, j) => {
          const c = channelOf(j);
          const integer = evaluateExpr(
            value,
            c,
            of.map((t) => t.data[j]!),
          );
          const factor = typeof scale === 'object' ? scale.data[c]! : scale;
          return factor === undefined ? integer : Math.fround(integer) * factor;
        });
        expect(made, `%${name} = ${op.kind}, seed ${seed}`).toEqual(values.get(name)!.data);
        seen.set(op.kind, (seen.get(op.kind) ?? 0) + 1);
      }
    }
    for (const { kind } of lowered) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(40);
  });
});
