/**
 * pykan before 0.1: `save_ckpt`, or torch.save of the state dict. An edge is `e = output * inputs + input`, and per layer
 * l there are `coef` [E, G+p], `grid` [E, G+1], `mask`, `scale_base` and `scale_sp` [E] under `act_fun.l.`, the
 * `symbolic_fun.l.` of later versions, and `biases.l.weight` [1, O], which is added to the sums:
 *
 *   y_o = sum_i mask * (scale_base * base(x_i) + scale_sp * sum_k coef_k B_k(x_i)) + symbolic_o + biases_o
 *
 * The knots outside of the grid are not stored: p at either end, at the mean distance of those within. Layers are
 * read as those of a later version, whose tensors are made here.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { FileTensor, TensorFile } from '../../containers/tensor.js';
import { finiteTensor } from '../../tensors.js';

/** Whether the tensors are of a version before 0.1. */
export const isOld = (file: TensorFile): boolean =>
  file.tensors.has('act_fun.0.coef') &&
  [...file.tensors].some(([name, { shape }]) => name === 'act_fun.0.coef' && shape.length === 2);

/** The tensors that a later version would have for layer `l`. */
export const modernLayer = (file: TensorFile, l: number): Checked<TensorFile> => {
  const mask = finiteTensor(file, `symbolic_fun.${l}.mask`, 2);
  if (E.isLeft(mask)) return mask;
  const [outputs, inputs] = [mask.right.shape[0]!, mask.right.shape[1]!];
  const edges = outputs * inputs;
  const coef = finiteTensor(file, `act_fun.${l}.coef`, 2, [edges, undefined]);
  if (E.isLeft(coef)) return coef;
  const grid = finiteTensor(file, `act_fun.${l}.grid`, 2, [edges, undefined]);
  if (E.isLeft(grid)) return grid;
  const extended = extendedGrid(grid.right, coef.right.shape[1]!, inputs, l);
  if (E.isLeft(extended)) return extended;
  const affine = finiteTensor(file, `symbolic_fun.${l}.affine`, 3, [outputs, inputs, 4]);
  if (E.isLeft(affine)) return affine;
  const bias = finiteTensor(file, `biases.${l}.weight`, 2, [1, outputs]);
  if (E.isLeft(bias)) return bias;
  const tensors = new Map<string, FileTensor>([
    [`act_fun.${l}.coef`, inputsFirst(coef.right, outputs, inputs)],
    [`act_fun.${l}.grid`, extended.right],
    [`symbolic_fun.${l}.mask`, mask.right],
    [`symbolic_fun.${l}.affine`, affine.right],
    [`subnode_scale_${l}`, filled(outputs, 1)],
    [`subnode_bias_${l}`, filled(outputs, 0)],
    [`node_scale_${l}`, filled(outputs, 1)],
    [`node_bias_${l}`, { ...bias.right, shape: [outputs] }],
  ]);
  for (const part of ['mask', 'scale_base', 'scale_sp']) {
    const tensor = finiteTensor(file, `act_fun.${l}.${part}`, 1, [edges]);
    if (E.isLeft(tensor)) return tensor;
    tensors.set(`act_fun.${l}.${part}`, inputsFirst(tensor.right, outputs, inputs));
  }
  return E.right({ ...file, tensors });
};

const filled = (length: number, value: number): FileTensor => ({
  dtype: 'F32',
  shape: [length],
  data: new Float32Array(length).fill(value),
});

/** [I, O, ...] from edges of [O, I]. */
const inputsFirst = ({ dtype, shape, data }: FileTensor, outputs: number, inputs: number): FileTensor => {
  const each = data.length / shape[0]!;
  const turned = new Float32Array(data.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      const from = (o * inputs + i) * each;
      turned.set(data.subarray(from, from + each), (i * outputs + o) * each);
    }
  }
  return { dtype, shape: [inputs, outputs, ...shape.slice(1)], data: turned };
};

/** f32[I, G+2p+1] from [E, G+1]: each end is moved on by the mean distance of knots, in f32 as the library does. */
const extendedGrid = (
  { dtype, shape, data }: FileTensor,
  functions: number,
  inputs: number,
  l: number,
): Checked<FileTensor> => {
  const count = shape[1]!;
  const order = functions - count + 1;
  const place = { tensor: `act_fun.${l}.grid` };
  if (order < 0 || count < 2) {
    return fail('K0203', `${count} knots and ${functions} coefficients give spline order ${order}`, {
      place,
      expected: 'knots = intervals + 1 and coefficients = intervals + order',
    });
  }
  for (let e = inputs; e < shape[0]!; e++) {
    for (let k = 0; k < count; k++) {
      if (data[e * count + k] === data[(e % inputs) * count + k]) continue;
      return fail('K0203', `edges ${e % inputs} and ${e} start from input ${e % inputs} with other knots`, {
        place,
        expected: 'one grid for all edges of an input, which is what an update of the grid gives',
      });
    }
  }
  const all = count + 2 * order;
  const knots = new Float32Array(inputs * all);
  for (let i = 0; i < inputs; i++) {
    const row = data.subarray(i * count, (i + 1) * count);
    const step = Math.fround(Math.fround(row[count - 1]! - row[0]!) / (count - 1));
    const to = knots.subarray(i * all, (i + 1) * all);
    to.set(row, order);
    for (let k = order - 1; k >= 0; k--) to[k] = to[k + 1]! - step;
    for (let k = order + count; k < all; k++) to[k] = to[k - 1]! + step;
  }
  return E.right({ dtype, shape: [inputs, all], data: knots });
};
