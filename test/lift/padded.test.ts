/** Images that are padded before a function of them is taken: the padding is a part of what windows see. */
import * as E from 'fp-ts/lib/Either.js';
import { expect, it } from 'vitest';
import { interpret } from '../../src/ir/index.js';
import { lift } from '../../src/lift/index.js';
import { tensorBuilder } from '../../src/tensor/builder.js';
import { evaluateProgram } from '../../src/tensor/evaluate.js';
import type { Shape, TensorOp, ValueId } from '../../src/tensor/program.js';
import { rightOf } from '../support/checked.js';

it('are not taken for means that count nothing there', () => {
  const b = tensorBuilder('padded', 2);
  const label = { name: 'v', origin: { node: 'n', op: 'Op' } };
  const add = (op: TensorOp, operand: ValueId, shape: Shape): ValueId => {
    const made = b.apply(op, [operand], { shape }, label);
    if (E.isLeft(made)) throw new Error(made.left);
    return made.right;
  };
  const x = b.input({ dtype: 'f32', shape: [2, 2, 4, 4] }, label);
  const padded = add({ kind: 'pad', before: [0, 0, 1, 1], value: 0 }, x, [2, 2, 6, 6]);
  const cosine = add({ kind: 'map', fn: 'cos' }, padded, [2, 2, 6, 6]);
  const windows = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], before: [0, 0], after: [0, 0] };
  const mean = add({ kind: 'pool', fn: 'mean', windows, countPadding: true }, cosine, [2, 2, 4, 4]);
  const program = b.finish([x], [mean]);
  const data = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
  const wanted = evaluateProgram(program, [Float64Array.from(data)]);
  if (E.isLeft(wanted)) throw new Error(wanted.left);
  const { graph } = rightOf(lift(program));
  const [found] = rightOf(interpret(graph, [{ type: graph.inputs[0]!.type, batch: 2, data }]));
  for (const [i, want] of wanted.right[0]!.entries()) expect(found!.data[i]).toBeCloseTo(want, 5);
});
