/** Grids of knots as families store them: a row for each input, often all alike. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { type Constant, constant } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import type { FileTensor } from './containers/tensor.js';

/** The knots f32[I, G+2p+1] as f32[R, G+2p+1]: one row when all inputs have the same. K0205 where they descend. */
export const knotConstant = (grid: FileTensor): Checked<Constant> => {
  const { data } = grid;
  const [inputs, count] = [grid.shape[0]!, grid.shape[1]!];
  let same = true;
  for (let j = 0; j < data.length; j++) {
    if (j % count !== 0 && data[j]! < data[j - 1]!) {
      return fail(
        'K0205',
        `knot ${j % count} of input ${Math.floor(j / count)} is ${data[j]}, below the one before it (${data[j - 1]})`,
        { expected: 'knots that ascend in every row' },
      );
    }
    if (data[j] !== data[j % count]) same = false;
  }
  const rows = same ? 1 : inputs;
  return E.right(constant(F32, [rows, count], Float32Array.from(data.subarray(0, rows * count))));
};

/** The spline order that a number of knots and of coefficients say; K0203 where they say none. */
export const orderOf = (count: number, functions: number): Checked<number> => {
  const order = count - functions - 1;
  return order < 0 || order > 15 || functions - order < 1
    ? fail(
        'K0203',
        `${count} knots and ${functions} coefficients give spline order ${order} and ${functions - order} intervals`,
        { expected: 'knots = intervals + 2 * order + 1 and coefficients = intervals + order' },
      )
    : E.right(order);
};
