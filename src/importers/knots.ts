/** Grids of knots as families store them: a row for each input, often all alike. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { BSpline } from '../ir/basis.js';
import { type Constant, constant } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import type { FileTensor } from './containers/tensor.js';

/** The knots f32[I, G+2p+1] as f32[R, G+2p+1]: one row when all inputs have the same. K0205 where they descend. */
const knotConstant = (grid: FileTensor): Checked<Constant> => {
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

/** The place of the first knot that stands where the one before it does, as [row, knot]; undefined without one. */
const repeatedKnot = ({ data, shape }: Constant): readonly [number, number] | undefined => {
  const count = shape[1]!;
  const at = data.findIndex((t: number, j: number) => j % count !== 0 && t === data[j - 1]);
  return at < 0 ? undefined : [Math.floor(at / count), at % count];
};

/** How a library computes with knots that stand on one another. */
export type RepeatedKnots = 'vanish' | 'nan';

/**
 * The basis of a grid f32[I, G+2p+1] for K = G + p functions. Where `repeated` knots make the library give NaN, for
 * every input of the network, the grid is refused (K0210). K0203 and K0205 as above.
 */
export const splineBasis = (
  grid: FileTensor,
  functions: number,
  repeated: RepeatedKnots,
): Checked<BSpline> => {
  const order = orderOf(grid.shape[1]!, functions);
  if (E.isLeft(order)) return order;
  const knots = knotConstant(grid);
  if (E.isLeft(knots)) return knots;
  const basis: BSpline = { _tag: 'bspline', order: order.right, knots: knots.right };
  // Of order 0 nothing is divided.
  const found = order.right === 0 ? undefined : repeatedKnot(knots.right);
  if (found === undefined) return E.right(basis);
  if (repeated === 'vanish') return E.right({ ...basis, repeated });
  const [row, knot] = found;
  const value = knots.right.data[row * knots.right.shape[1]! + knot];
  return fail(
    'K0210',
    `knots ${knot - 1} and ${knot} of input ${row} are both ${value}, for which the library divides by 0`,
    {
      expected: 'knots that differ from their neighbours',
      hint: 'The library gives NaN on every sample with this grid. Take a checkpoint from before the grid was updated, or update it with a larger grid_eps.',
    },
  );
};

/** The spline order that a number of knots and of coefficients say; K0203 where they say none. */
const orderOf = (count: number, functions: number): Checked<number> => {
  const order = count - functions - 1;
  return order < 0 || order > 15 || functions - order < 1
    ? fail(
        'K0203',
        `${count} knots and ${functions} coefficients give spline order ${order} and ${functions - order} intervals`,
        { expected: 'knots = intervals + 2 * order + 1 and coefficients = intervals + order' },
      )
    : E.right(order);
};
