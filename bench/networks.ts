/** Networks with random weights, as efficient-kan makes them: for sizes that no trained checkpoint ships in. */
import * as E from 'fp-ts/lib/Either.js';
import type { NpyArray } from '../src/importers/containers/index.js';
import { type Builder, builder } from '../src/ir/builder.js';
import { constant } from '../src/ir/constant.js';
import { F32 } from '../src/ir/element.js';
import type { Graph, ValueName } from '../src/ir/graph.js';
import { floatType } from '../src/ir/types.js';
import type { Samples } from './models.js';
import { randomOf } from './random.js';

/** B-splines of an order on G intervals of [-1, 1]. */
export interface Grid {
  readonly intervals: number;
  readonly order: number;
}

const USUAL: Grid = { intervals: 5, order: 3 };

/** Random coefficients of splines and a SiLU branch; outputs keep the size of the inputs. */
const branchesOf = (random: () => number, inputs: number, outputs: number, { intervals, order }: Grid) => {
  const step = 2 / intervals;
  const row = Float32Array.from({ length: intervals + 2 * order + 1 }, (_, k) => -1 + (k - order) * step);
  const knots = constant(F32, [1, row.length], row);
  const size = Math.sqrt(3 / inputs);
  const weights = (k: number) =>
    constant(
      F32,
      [inputs, k, outputs],
      Float32Array.from({ length: inputs * k * outputs }, () => random() * size),
    );
  return [
    { basis: { _tag: 'bspline', order, knots }, weights: weights(intervals + order) } as const,
    { basis: { _tag: 'base', activation: 'silu' }, weights: weights(1) } as const,
  ];
};

const built = (b: Builder<'float'>, output: ValueName): Graph => {
  const graph = b.build([output]);
  if (E.isLeft(graph)) throw new Error(graph.left[0].message);
  return graph.right;
};

/** Layers of the given widths. */
export const randomNetwork = (widths: ReadonlyArray<number>, grid: Grid = USUAL): Graph => {
  const random = randomOf(1);
  const b = builder('random', 'float');
  let value = b.input('x', floatType([widths[0]!]));
  for (let l = 0; l + 1 < widths.length; l++) {
    const branches = branchesOf(random, widths[l]!, widths[l + 1]!, grid);
    value = b.add(`layer${l}`, { kind: 'kan', attrs: { branches } }, [value]);
  }
  return built(b, value);
};

/** One layer over the 3x3 windows of an image, padded. */
export const randomConvolution = (
  channels: number,
  outputs: number,
  size: number,
  grid: Grid = USUAL,
): Graph => {
  const b = builder('random', 'float');
  const branches = branchesOf(randomOf(1), 9 * channels, outputs, grid);
  const window = {
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1],
    dilation: [1, 1],
    groups: 1,
  } as const;
  const x = b.input('x', floatType([channels, size, size]));
  return built(b, b.add('layer0', { kind: 'kan', attrs: { branches, window } }, [x]));
};

/** Uniform in [-1, 1). */
export const randomSamples = (features: number, batch: number, seed = 2): Samples => {
  const random = randomOf(seed);
  const floats = Float32Array.from({ length: batch * features }, () => random());
  return { features, own: floats, floats };
};

export const asArray = ({ floats, features }: Samples): NpyArray => ({
  dtype: 'f4',
  shape: [floats.length / features, features],
  data: floats,
});

export const edgesOf = (widths: ReadonlyArray<number>): number =>
  widths.slice(1).reduce((n, width, l) => n + width * widths[l]!, 0);
