/** Weights as families store them, to the [inputs, functions, outputs] of layers. */
import { type Constant, constant } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import type { FileTensor } from './containers/tensor.js';

/** f32[I, 1, O] from the [O, I] of a linear map. */
export const linearWeights = (weight: FileTensor): Constant => expandedWeights(weight, 1);

/** f32[I, K, O] from [O, I * K], functions of an input side by side. */
export const expandedWeights = (weight: FileTensor, functions: number): Constant => {
  const outputs = weight.shape[0]!;
  const columns = weight.shape[1]!;
  const data = new Float32Array(columns * outputs);
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < columns; c++) data[c * outputs + o] = weight.data[o * columns + c]!;
  }
  return constant(F32, [columns / functions, functions, outputs], data);
};
